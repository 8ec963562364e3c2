/** `romana segment list|add|remove`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns } from '../columns.ts'
import { makeCommand, UsageError } from '../command.ts'
import { formatJson } from '../output.ts'

const Segment = v.object({
  tenant: v.string(),
  tenantNumber: v.number(),
  name: v.string(),
  number: v.number(),
  cell: v.string(),
  hosts: v.array(v.number()),
  everywhere: v.optional(v.string()),
})
const TENANT = { type: 'positional', description: 'The name of its tenant', required: true } as const
const NAME = { type: 'positional', description: 'The name of the segment', required: true } as const

export const segmentListCommand = makeCommand(
  { name: 'segment list', description: 'Show the segments, and the hosts that have networks in them' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const segments = await ask(socket, { method: 'GET', path: '/v1/segments' }, v.array(Segment))
    const rows = segments.map(({ tenant, name, tenantNumber, number, cell, hosts, everywhere }) => [
      ...[tenant, name, `${tenantNumber}.${number}`, cell],
      (hosts.length === 0 ? '-' : hosts.join(',')) +
        (everywhere === undefined ? '' : `, everywhere as ${everywhere}`),
    ])
    const text = formatColumns(['TENANT', 'SEGMENT', 'NUMBERS', 'CELL HERE', 'HOSTS'], rows)
    return { exitCode: 0, text: json ? formatJson(segments) : text }
  },
)

export const segmentAddCommand = makeCommand(
  { name: 'segment add', description: 'Make a segment, and its tenant where there is none' },
  {
    tenant: TENANT,
    segment: NAME,
    everywhere: {
      type: 'boolean',
      description: 'Make it a network on every host whose plugin may ask the engine',
      default: false,
    },
    network: { type: 'string', description: 'With --everywhere: the name of the networks (TENANT-SEGMENT)' },
    ...ADMIN_ARGS,
  },
  async ({ tenant, segment: name, everywhere, network, socket, json }) => {
    if (network !== undefined && !everywhere) throw new UsageError('--network goes with --everywhere')
    const body = { tenant, name, ...(everywhere ? { everywhere, network } : {}) }
    const segment = await ask(socket, { method: 'POST', path: '/v1/segments', body }, Segment)
    const as = segment.everywhere === undefined ? '' : `, and is everywhere as network ${segment.everywhere}`
    const text = `Segment ${name} of tenant ${tenant} has ${segment.cell} on this host${as}\n`
    return { exitCode: 0, text: json ? formatJson(segment) : text }
  },
)

export const segmentRemoveCommand = makeCommand(
  { name: 'segment remove', description: 'Remove a segment in which no host has a network' },
  { tenant: TENANT, segment: NAME, ...ADMIN_ARGS },
  async ({ tenant, segment, socket, json }) => {
    const path = `/v1/segments/${encodeURIComponent(tenant)}/${encodeURIComponent(segment)}`
    const answer = await ask(socket, { method: 'DELETE', path }, v.object({}))
    const text = `Removed segment ${segment} of tenant ${tenant}\n`
    return { exitCode: 0, text: json ? formatJson(answer) : text }
  },
)
