/** `romana network list`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { both, formatColumns, shortId } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson } from '../output.ts'

const Network = v.object({
  networkId: v.string(),
  tenant: v.string(),
  segment: v.string(),
  cell: v.string(),
  gateway: v.string(),
  auxiliary: v.array(v.string()),
  pool6: v.optional(v.object({ cell: v.string(), gateway: v.string() })),
  internal: v.boolean(),
  mtu: v.optional(v.number()),
  nat: v.optional(v.boolean()),
})

export const networkListCommand = makeCommand(
  { name: 'network list', description: 'Show the networks of this host' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const networks = await ask(socket, { method: 'GET', path: '/v1/networks' }, v.array(Network))
    const rows = networks.map(({ networkId, tenant, segment, cell, gateway, pool6, internal }) => [
      ...[shortId(networkId), tenant, segment, both(cell, pool6?.cell), both(gateway, pool6?.gateway)],
      internal ? 'yes' : 'no',
    ])
    const titles = ['NETWORK', 'TENANT', 'SEGMENT', 'CELL', 'GATEWAY', 'INTERNAL']
    return { exitCode: 0, text: json ? formatJson(networks) : formatColumns(titles, rows) }
  },
)
