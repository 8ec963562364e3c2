/**
 * This host as a whole: brought to what is recorded, looked at, repaired. Such a task runs alone; what concerns one
 * endpoint runs beside others in between.
 */
import type { Family } from '../address/ip.ts'
import { planOf } from '../address/ipv6-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { withPlaces } from '../host/store-rules.ts'
import type { PeerRecord } from '../store/host-records.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import { converge, preview, underlayMtu } from './converge.ts'
import { cutFlows } from './flow-cuts.ts'
import { type Gate, makeGate } from './gate.ts'
import { type NetworkDriverParts, openPublishedPorts } from './open-ports.ts'
import { checkHasIpv6, checkPlanIsFree } from './plan-check.ts'
import { isNoChange, policyChange, writePolicies } from './policies.ts'
import type { PublishedPorts } from './published-ports.ts'
import { listEndpoints, listNetworks, listPeers, listPolicies, listPorts } from './records.ts'

export class WholeHost {
  readonly ports: PublishedPorts
  readonly #parts: NetworkDriverParts
  readonly #gate: Gate = makeGate()
  #seen: ObservedHost
  /** The other hosts as the last look at this one found them in the journal: a Join does not read them all. */
  #peers: readonly PeerRecord[]
  /** Whether the rules are behind the recorded policies: those of the last call could not be written. */
  #isBehindPolicies = false
  /** Whether forbidden flows may go on: rules were written since, or a plugin before this one died between rules and flows. */
  #mayHaveStrays = true
  #isClosed = false

  /** Brings the host to the recorded state. @throws RomanaError E_STORE, E_RECORD, E_COMMAND, E_HOST */
  static async open(parts: NetworkDriverParts): Promise<WholeHost> {
    const { seen } = await converge(parts, 'at start')
    const host = new WholeHost(parts, seen, await listPeers(parts.stores))
    await host.ports.settle()
    return host
  }

  private constructor(parts: NetworkDriverParts, seen: ObservedHost, peers: readonly PeerRecord[]) {
    this.#parts = parts
    this.#seen = seen
    this.#peers = peers
    this.ports = openPublishedPorts(parts, () => this.#seen)
  }

  /** As it was seen last. */
  get seen(): ObservedHost {
    return this.#seen
  }

  /** As they were known at the last look. */
  get peers(): readonly PeerRecord[] {
    return this.#peers
  }

  /** Bytes, of the links that lead outside and to the other hosts. */
  get mtu(): number {
    return underlayMtu(this.#seen, this.#parts.uplinks, this.#peers)
  }

  /** Runs beside other tasks of this kind. */
  beside<T>(task: () => Promise<T>): Promise<T> {
    return this.#gate.shared(task)
  }

  /** Runs alone. @param task is given what brings the host to what it has recorded; that throws as {@link converge}. */
  alone<T>(task: (settle: () => Promise<void>) => Promise<T>): Promise<T> {
    return this.#gate.exclusive(() => task(() => this.#converge(this.#parts)))
  }

  /**
   * @throws RomanaError E_PLAN_OVERLAP when this host has come to use addresses of the plan otherwise, E_HOST when it has
   * no IPv6.
   */
  async checkPlanIsFree(family: Family): Promise<void> {
    const plan = planOf(this.#parts.plans, family)
    const seen = await this.#parts.host.observe()
    if (family === 6) checkHasIpv6(seen)
    if (plan !== undefined) checkPlanIsFree(plan, seen)
  }

  /** What would be changed now to bring the host to the recorded state, as text. @throws as {@link preview} */
  preview(): Promise<string> {
    return this.#gate.exclusive(() => preview(this.#parts))
  }

  /**
   * Puts back what others took from the host, as far as something is missing: its plan, or "". When nothing was noticed,
   * the look holds up no container.
   * @param noticed what called for the look, in words for the log.
   * @throws RomanaError E_COMMAND, E_HOST, E_STORE
   */
  async repair(noticed: readonly string[]): Promise<string> {
    if (this.#isClosed) return ''
    this.#peers = await listPeers(this.#parts.stores)
    if (noticed.length === 0 && (await preview(this.#parts)) === '') return ''
    let taken = ''
    const onPlan = (plan: string) => {
      taken = plan
      this.#parts.onPlan(plan, noticed)
    }
    await this.#gate.exclusive(async () => {
      await this.#converge({ ...this.#parts, onPlan })
    })
    return taken
  }

  /**
   * The policies of the cluster, as the directory has them: recorded and carried out. What failed is done by the next call.
   * {@link cutStrays} is due then. @throws RomanaError E_COMMAND, E_HOST, E_STORE
   */
  setPolicies(policies: readonly PolicyRecord[]): Promise<void> {
    const { stores } = this.#parts
    return this.alone(async (settle) => {
      const change = policyChange(await listPolicies(stores), policies)
      if (isNoChange(change) && !this.#isBehindPolicies) return
      this.#isBehindPolicies = true
      await writePolicies(stores.journal, change, policies)
      await settle()
      this.#isBehindPolicies = false
    })
  }

  /**
   * Cuts the flows that are forbidden, if rules were written since the last time. Gives how many. Holds up nobody.
   * @throws RomanaError E_COMMAND, E_STORE
   */
  async cutStrays(): Promise<number> {
    if (!this.#mayHaveStrays) return 0
    this.#mayHaveStrays = false
    const { stores, host, plans, uplinks, isHostOpen, storeAddresses } = this.#parts
    const seen = this.#seen
    try {
      return await cutFlows({
        ...{ host, plans, uplinks, isHostOpen, seen },
        stores: withPlaces(storeAddresses() ?? [], seen),
        records: async () => ({
          networks: await listNetworks(stores),
          endpoints: await listEndpoints(stores),
          ports: await listPorts(stores),
          policies: await listPolicies(stores),
        }),
      })
    } catch (error) {
      this.#mayHaveStrays = true
      throw error
    }
  }

  /**
   * Nothing of ours stays on a host without a network, though others of its cluster have some: without this plugin nobody would take
   * it away. The driver is not asked afterwards. @throws RomanaError E_COMMAND, E_HOST, E_STORE
   */
  close(): Promise<void> {
    return this.#gate.exclusive(async () => {
      this.#isClosed = true
      const { stores } = this.#parts
      if ((await listNetworks(stores)).length > 0 || (await listEndpoints(stores)).length > 0) return
      await converge({ ...this.#parts, storeAddresses: () => undefined })
    })
  }

  /** Must run alone. Endpoints that were found dead publish nothing more. */
  async #converge(parts: NetworkDriverParts): Promise<void> {
    const { seen, isRestored } = await converge(parts)
    this.#seen = seen
    await this.ports.settle()
    if (!isRestored) return
    this.#mayHaveStrays = true
    this.#parts.onRulesWritten()
  }
}
