/** Hosts of the cluster, and the way to each. */
import * as v from 'valibot'
import { acceptHost, listHosts, removeHost } from '../../cluster/hosts.ts'
import { type StaticRoute, staticRoutes } from '../../cluster/static-routes.ts'
import { HostRecord } from '../../store/host-records.ts'
import { type HostNumber, HostNumberSchema } from '../../store/ids.ts'
import { directoryKeys } from '../../store/keys.ts'
import { listRecords } from '../../store/records.ts'
import { type AdminParts, answer, directoryOf, type Routing } from './routing.ts'

/** In a path. */
const HostParam = v.pipe(v.string(), v.digits(), v.toNumber(), HostNumberSchema)

export function addHosts({ app, parts, log }: Routing): void {
  app.get('/v1/hosts', async () => answer(200, await listHosts(directoryOf(await parts()))))
  app.delete('/v1/hosts/:number', async ({ req }) => {
    const removed = await remove(await parts(), v.parse(HostParam, req.param('number')))
    log.info({ host: removed.number }, 'host removed')
    return answer(200, removed)
  })
  app.post('/v1/hosts/:number/accept', async ({ req }) => {
    const number = v.parse(HostParam, req.param('number'))
    const accepted = await acceptHost(directoryOf(await parts()), number)
    log.info({ host: accepted.number }, 'host accepted with other hardware')
    return answer(200, accepted)
  })
  app.get('/v1/routes', async () => answer(200, await routes(await parts())))
}

/** It holds nothing any more: segments can be removed. @throws RomanaError as {@link removeHost} */
async function remove(parts: AdminParts, number: HostNumber): Promise<HostRecord> {
  const removed = await removeHost(directoryOf(parts), number)
  await parts.ipam.leaveAllOf(number)
  return removed
}

/** What a router needs: routes to each host whose address on the underlay is known. */
async function routes(parts: AdminParts): Promise<StaticRoute[]> {
  const hosts = await listRecords(directoryOf(parts), HostRecord, directoryKeys.hosts())
  return staticRoutes(parts.plans, hosts)
}
