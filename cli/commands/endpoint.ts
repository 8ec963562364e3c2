/** `romana endpoint list`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { both, formatColumns, shortId } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson, type Outcome } from '../output.ts'

const Endpoint = v.object({
  endpointId: v.string(),
  networkId: v.string(),
  tenant: v.string(),
  segment: v.string(),
  address: v.string(),
  address6: v.optional(v.string()),
  link: v.string(),
  joined: v.boolean(),
})

const CopiedEndpoint = v.object({
  host: v.number(),
  endpointId: v.string(),
  networkId: v.string(),
  tenant: v.string(),
  segment: v.string(),
  address: v.string(),
  address6: v.optional(v.string()),
  container: v.optional(v.object({ id: v.string(), name: v.string() })),
})

export const endpointListCommand = makeCommand(
  { name: 'endpoint list', description: 'Show the endpoints of this host: its containers on its networks' },
  {
    all: { type: 'boolean', description: 'Those of all hosts, as the directory has them', default: false },
    ...ADMIN_ARGS,
  },
  async ({ all, socket, json }) => {
    if (all) return listAll(socket, json)
    const endpoints = await ask(socket, { method: 'GET', path: '/v1/endpoints' }, v.array(Endpoint))
    const rows = endpoints.map(({ endpointId, networkId, tenant, segment, link, joined, ...of }) => [
      ...[shortId(endpointId), shortId(networkId), tenant, segment, both(of.address, of.address6)],
      joined ? link : '-',
    ])
    const titles = ['ENDPOINT', 'NETWORK', 'TENANT', 'SEGMENT', 'ADDRESS', 'LINK']
    return { exitCode: 0, text: json ? formatJson(endpoints) : formatColumns(titles, rows) }
  },
)

async function listAll(socket: string, json: boolean): Promise<Outcome> {
  const path = '/v1/endpoints?hosts=all'
  const endpoints = await ask(socket, { method: 'GET', path }, v.array(CopiedEndpoint))
  const rows = endpoints.map(({ host, endpointId, networkId, tenant, segment, container, ...of }) => [
    ...[host, shortId(endpointId), shortId(networkId), tenant, segment, both(of.address, of.address6)],
    container?.name ?? '-',
  ])
  const titles = ['HOST', 'ENDPOINT', 'NETWORK', 'TENANT', 'SEGMENT', 'ADDRESS', 'CONTAINER']
  return { exitCode: 0, text: json ? formatJson(endpoints) : formatColumns(titles, rows) }
}
