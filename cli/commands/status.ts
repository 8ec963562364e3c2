/** `romana status`: whether the plugin works, and what it has. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { makeCommand } from '../command.ts'
import { formatJson, formatTable, type Outcome } from '../output.ts'

const Ready = v.object({
  ready: v.literal(true),
  host: v.number(),
  plan: v.string(),
  plan6: v.optional(v.string()),
  createSegments: v.boolean(),
  cluster: v.optional(v.object({ isReached: v.boolean(), trouble: v.optional(v.string()) })),
  tenants: v.optional(v.number()),
  segments: v.optional(v.number()),
  networks: v.number(),
  endpoints: v.number(),
})
const NotReady = v.object({ ready: v.literal(false), reason: v.string() })
const Status = v.variant('ready', [Ready, NotReady])
type Status = v.InferOutput<typeof Status>
type ReadyStatus = v.InferOutput<typeof Ready>

const UNKNOWN = 'unknown'

export const statusCommand = makeCommand(
  { name: 'status', description: 'Show whether the plugin is ready. Exit code 1: it is not' },
  ADMIN_ARGS,
  async ({ socket, json }): Promise<Outcome> => {
    const status = await ask(socket, { method: 'GET', path: '/v1/status' }, Status)
    const text = json ? formatJson(status) : formatTable(rowsOf(status))
    return { exitCode: status.ready ? 0 : 1, text }
  },
)

function rowsOf(status: Status): [string, string][] {
  if (!status.ready) {
    return [
      ['state', 'not ready'],
      ['reason', status.reason],
    ]
  }
  return [
    ['state', 'ready'],
    ['host', `${status.host}`],
    ['plan', status.plan],
    ...(status.plan6 === undefined ? [] : [['IPv6 plan', status.plan6] satisfies [string, string]]),
    ...(status.cluster === undefined
      ? []
      : [['cluster', clusterText(status.cluster)] satisfies [string, string]]),
    ['tenants', `${status.tenants ?? UNKNOWN}`],
    [
      'segments',
      `${status.segments ?? UNKNOWN}, ${status.createSegments ? 'made' : 'not made'} on first use`,
    ],
    ['networks', `${status.networks} on this host`],
    ['endpoints', `${status.endpoints} on this host`],
  ]
}

function clusterText({ isReached, trouble }: NonNullable<ReadyStatus['cluster']>): string {
  if (isReached) return 'its store answers'
  return `its store does not answer${trouble === undefined ? '' : `: ${trouble}`}`
}
