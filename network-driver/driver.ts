/** NetworkDriver.*: each call changes records, then the kernel follows, then the engine is answered. */
import type { AddressPlan } from '../address/address-plan.ts'
import { cellAround } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { NetworkId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { type EndpointRecord, getRecord, type NetworkRecord, PoolRecord } from '../store/records.ts'
import { makeKeyedSerial } from '../store/serial.ts'
import { highestLinkNumber } from './adoption.ts'
import { type ConvergeParts, converge, preview, uplinkMtu } from './converge.ts'
import { createEndpoint, deleteEndpoint, join, leave } from './endpoints.ts'
import { makeGate } from './gate.ts'
import { LiveEndpoints } from './live-endpoints.ts'
import { type NetworkWish, parseNetworkWish } from './network-options.ts'
import { checkPlanIsFree } from './plan-check.ts'
import { findNetwork, listEndpoints, putNetwork, removeNetwork } from './records.ts'
import { type Recovered, recoverJournal } from './recovery.ts'
import type {
  CreateEndpointRequest,
  CreateNetworkRequest,
  EndpointRequest,
  JoinAnswer,
  JoinRequest,
  NetworkRequest,
} from './wire.ts'

/** The driver over its stores and its host. Calls for one endpoint or network take turns; others run side by side. */
export class NetworkDriver {
  readonly recovered: Recovered
  readonly #parts: ConvergeParts
  readonly #gate = makeGate()
  readonly #serial = makeKeyedSerial()
  readonly #live: LiveEndpoints
  #seen: ObservedHost
  #lastLinkNumber: number

  /**
   * Recovers the journal from the kernel and brings the host to the recorded state.
   * @throws RomanaError E_STORE, E_RECORD, E_COMMAND, E_HOST
   */
  static async open(parts: ConvergeParts): Promise<NetworkDriver> {
    const recovered = await recoverJournal(parts.stores, await parts.host.observe(), parts.plans.ipv4)
    const seen = await converge(parts, 'at start')
    const endpoints = await listEndpoints(parts.stores)
    return new NetworkDriver(parts, {
      recovered,
      seen,
      live: liveEndpoints(parts.plans.ipv4, endpoints),
      lastLinkNumber: highestLinkNumber(seen, endpoints),
    })
  }

  private constructor(
    parts: ConvergeParts,
    start: { recovered: Recovered; seen: ObservedHost; live: LiveEndpoints; lastLinkNumber: number },
  ) {
    this.#parts = parts
    this.recovered = start.recovered
    this.#seen = start.seen
    this.#live = start.live
    this.#lastLinkNumber = start.lastLinkNumber
  }

  /** @throws RomanaError E_IPAM_PAIR, E_OPTION, E_POOL_UNKNOWN, E_COMMAND, E_STORE */
  async createNetwork(request: CreateNetworkRequest): Promise<object> {
    const network = await this.#networkRecord(request, parseNetworkWish(request))
    return this.#gate.exclusive(async () => {
      const isNew = (await findNetwork(this.#parts.stores, network.networkId)) === undefined
      await putNetwork(this.#parts.stores, network)
      try {
        this.#seen = await converge(this.#parts)
      } catch (error) {
        // The engine never names a network again that could not be made.
        if (isNew) await this.#forgetNetwork(network.networkId).catch(() => undefined)
        throw error
      }
      return {}
    })
  }

  /** The engine refuses to remove a network that has endpoints. @throws RomanaError E_COMMAND, E_STORE */
  deleteNetwork({ NetworkID }: NetworkRequest): Promise<object> {
    return this.#gate.exclusive(async () => {
      await this.#forgetNetwork(NetworkID)
      return {}
    })
  }

  /** @throws as {@link createEndpoint} */
  createEndpoint(request: CreateEndpointRequest): Promise<object> {
    return this.#forEndpoint(request, () => createEndpoint(this.#endpointParts(), request))
  }

  /** @throws as {@link deleteEndpoint} */
  deleteEndpoint(request: EndpointRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      await deleteEndpoint(this.#endpointParts(), request)
      return {}
    })
  }

  /** @throws as {@link join} */
  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.#forEndpoint(request, () => join(this.#endpointParts(), request))
  }

  /** @throws RomanaError E_STORE */
  leave(request: EndpointRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      await leave(this.#endpointParts(), request)
      return {}
    })
  }

  /** @throws RomanaError E_PLAN_OVERLAP when this host has come to use addresses of the plan otherwise. */
  async checkPlanIsFree(): Promise<void> {
    checkPlanIsFree(this.#parts.plans.ipv4, await this.#parts.host.observe())
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
    if (noticed.length === 0 && (await preview(this.#parts)) === '') return ''
    let taken = ''
    const onPlan = (plan: string) => {
      taken = plan
      this.#parts.onPlan(plan, noticed)
    }
    await this.#gate.exclusive(async () => {
      this.#seen = await converge({ ...this.#parts, onPlan })
    })
    return taken
  }

  async #forgetNetwork(networkId: NetworkId): Promise<void> {
    await removeNetwork(this.#parts.stores, networkId)
    this.#seen = await converge(this.#parts)
  }

  #forEndpoint<T>({ EndpointID }: EndpointRequest, task: () => Promise<T>): Promise<T> {
    return this.#gate.shared(() => this.#serial(EndpointID, task))
  }

  #endpointParts() {
    const { stores, host, uplinks } = this.#parts
    return {
      stores,
      host,
      live: this.#live,
      usualMtu: () => uplinkMtu(this.#seen, uplinks),
      nextLinkNumber: () => {
        this.#lastLinkNumber += 1
        return this.#lastLinkNumber
      },
    }
  }

  /** The pool that the IPAM driver recorded says whose cell it is. */
  async #networkRecord({ NetworkID }: CreateNetworkRequest, wish: NetworkWish): Promise<NetworkRecord> {
    const pool = await getRecord(this.#parts.stores.journal, PoolRecord, journalKeys.pool(wish.cell))
    if (pool === undefined) {
      throw new RomanaError('E_POOL_UNKNOWN', {
        cannot: `make a network of the pool ${wish.cell}`,
        because: 'the Romana IPAM driver has not given it out',
        remedy: 'Create the network again',
      })
    }
    const { tenant, segment } = pool.record
    return { networkId: NetworkID, tenant, segment, ...wish }
  }
}

/** Joined endpoints whose links are gone were buried just before. */
function liveEndpoints(plan: AddressPlan, endpoints: readonly EndpointRecord[]): LiveEndpoints {
  const live = new LiveEndpoints()
  for (const { endpointId, address, sandbox, joined } of endpoints) {
    if (joined) live.add({ endpointId, cell: cellAround(plan, address), sandbox })
  }
  return live
}
