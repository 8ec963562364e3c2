/** How the plugin and this host are. */
import { setImmediate } from 'node:timers/promises'
import { formatPlan } from '../../address/address-plan.ts'
import { RomanaError, reasonOf } from '../../errors.ts'
import type { HostNumber } from '../../store/ids.ts'
import { directoryKeys, journalKeys } from '../../store/keys.ts'
import type { Store } from '../../store/store.ts'
import type { ClusterStatus } from '../cluster-tasks.ts'
import { asRomanaError } from '../request-errors.ts'
import { type AdminParts, answer, directoryOf, type Routing } from './routing.ts'

interface ReadyStatus {
  readonly ready: true
  /** This host's number. */
  readonly host: HostNumber
  readonly plan: string
  readonly plan6?: string
  /** Whether networks make the tenants and segments that they name. */
  readonly createSegments: boolean
  /** Absent on a single host. */
  readonly cluster?: ClusterStatus
  /** Absent, as are the segments, where the store of the cluster does not answer. */
  readonly tenants?: number
  readonly segments?: number
  /** Of this host, as are the endpoints. */
  readonly networks: number
  readonly endpoints: number
}

interface NotReadyStatus {
  readonly ready: false
  readonly reason: string
}

export function addStatus({ app, parts }: Routing): void {
  app.get('/v1/status', async () => answer(200, await statusNow(parts)))
  // What is to be changed on this host, as text; "" when nothing.
  app.get('/v1/plan', async () => answer(200, { plan: await (await parts()).network.host.preview() }))
}

/** Answered at once, whatever the plugin is about. */
async function statusNow(parts: Routing['parts']): Promise<ReadyStatus | NotReadyStatus> {
  const ready = parts().catch((error: unknown) => asRomanaError(error, 'GET /v1/status'))
  const now = await Promise.race([ready, setImmediate(undefined)])
  if (now === undefined) return { ready: false, reason: 'The plugin recovers what this host has' }
  return now instanceof RomanaError ? { ready: false, reason: now.message } : statusOf(now)
}

async function statusOf(parts: AdminParts): Promise<ReadyStatus> {
  const { plans, ipam, journal } = parts
  return {
    ready: true,
    host: ipam.segments.host,
    plan: formatPlan(plans.ipv4),
    ...(plans.ipv6 === undefined ? {} : { plan6: formatPlan(plans.ipv6) }),
    createSegments: ipam.segments.mayCreate,
    ...(await shared(parts)),
    networks: await countOf(journal, journalKeys.networks()),
    endpoints: await countOf(journal, journalKeys.endpoints()),
  }
}

/** What the directory says; where it is shared, also that it does not answer. */
async function shared(parts: AdminParts): Promise<Pick<ReadyStatus, 'cluster' | 'tenants' | 'segments'>> {
  const cluster = parts.cluster?.status()
  if (cluster?.isReached === false) return { cluster }
  try {
    const tenants = await countOf(directoryOf(parts), directoryKeys.tenants())
    const segments = await countOf(directoryOf(parts), directoryKeys.allSegments())
    return { ...(cluster && { cluster }), tenants, segments }
  } catch (error) {
    if (cluster === undefined) throw error
    return { cluster: { isReached: false, trouble: reasonOf(error) } }
  }
}

async function countOf(store: Store, prefix: string): Promise<number> {
  return (await store.list(prefix)).entries.length
}
