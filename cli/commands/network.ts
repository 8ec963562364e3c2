/** `romana network list|remove`. */
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
  endpoints: v.number(),
  /** Where the engine may be asked: its name there, or that the engine does not have it. */
  name: v.optional(v.string()),
  gone: v.optional(v.literal(true)),
})
const Removed = v.object({ networkId: v.string(), tenant: v.string(), segment: v.string() })

export const networkListCommand = makeCommand(
  { name: 'network list', description: 'Show the networks of this host' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const networks = await ask(socket, { method: 'GET', path: '/v1/networks' }, v.array(Network))
    const rows = networks.map(({ networkId, tenant, segment, cell, gateway, pool6, internal, ...of }) => [
      ...[shortId(networkId), tenant, segment, both(cell, pool6?.cell), both(gateway, pool6?.gateway)],
      ...[internal ? 'yes' : 'no', of.endpoints, of.gone ? '(gone)' : (of.name ?? '-')],
    ])
    const titles = ['NETWORK', 'TENANT', 'SEGMENT', 'CELL', 'GATEWAY', 'INTERNAL', 'ENDPOINTS', 'NAME']
    return { exitCode: 0, text: json ? formatJson(networks) : formatColumns(titles, rows) }
  },
)

export const networkRemoveCommand = makeCommand(
  {
    name: 'network remove',
    description: 'Remove what is left of a network that Docker does not have any more',
  },
  {
    network: { type: 'positional', description: 'Its id, or the beginning of it', required: true },
    ...ADMIN_ARGS,
  },
  async ({ network, socket, json }) => {
    const path = `/v1/networks/${encodeURIComponent(network)}`
    const removed = await ask(socket, { method: 'DELETE', path }, Removed)
    const { networkId, tenant, segment } = removed
    const text = `Removed network ${shortId(networkId)} of segment ${segment} of tenant ${tenant}\n`
    return { exitCode: 0, text: json ? formatJson(removed) : text }
  },
)
