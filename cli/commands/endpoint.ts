/** `romana endpoint list`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns, shortId } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson } from '../output.ts'

const Endpoint = v.object({
  endpointId: v.string(),
  networkId: v.string(),
  tenant: v.string(),
  segment: v.string(),
  address: v.string(),
  link: v.string(),
  joined: v.boolean(),
})

export const endpointListCommand = makeCommand(
  { name: 'endpoint list', description: 'Show the endpoints of this host: its containers on its networks' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const endpoints = await ask(socket, { method: 'GET', path: '/v1/endpoints' }, v.array(Endpoint))
    const rows = endpoints.map(({ endpointId, networkId, tenant, segment, address, link, joined }) => [
      ...[shortId(endpointId), shortId(networkId), tenant, segment, address],
      joined ? link : '-',
    ])
    const titles = ['ENDPOINT', 'NETWORK', 'TENANT', 'SEGMENT', 'ADDRESS', 'LINK']
    return { exitCode: 0, text: json ? formatJson(endpoints) : formatColumns(titles, rows) }
  },
)
