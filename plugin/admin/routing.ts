/** What the subjects of the admin API share: what they ask, where they add their requests, and how they answer. */
import type { Hono } from 'hono'
import type { Plans } from '../../address/address-plan.ts'
import type { EngineNetworks } from '../../cluster/everywhere-keeper.ts'
import type { IpamDriver } from '../../ipam-driver/driver.ts'
import type { NetworkDriver } from '../../network-driver/driver.ts'
import { formatRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import type { ClusterTasks } from '../cluster-tasks.ts'
import type { Log } from '../log.ts'

/** The plugin, once recovery is done. */
export interface AdminParts {
  readonly journal: Store
  readonly plans: Plans
  readonly ipam: IpamDriver
  readonly network: NetworkDriver
  /** Absent on a single host. */
  readonly cluster: Pick<ClusterTasks, 'status'> | undefined
  /** Absent unless the plugin may ask it. */
  readonly engine: Pick<EngineNetworks, 'networks'> | undefined
}

export interface Routing {
  readonly app: Hono
  /** Resolves when recovery is done; rejects with what keeps the plugin from working. */
  readonly parts: () => Promise<AdminParts>
  readonly log: Log
}

/** Tenants, segments, hosts and policies are there. */
export function directoryOf({ ipam }: AdminParts): Store {
  return ipam.segments.directory
}

export function answer(status: number, body: object): Response {
  return new Response(formatRecord(body), { status, headers: { 'content-type': 'application/json' } })
}
