/** NetworkDriver.*: each call changes records, then the kernel follows, then the engine is answered. */
import type { Family } from '../address/ip.ts'
import { planOf } from '../address/ipv6-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { withPlaces } from '../host/store-rules.ts'
import type { PeerRecord } from '../store/host-records.ts'
import type { EndpointId, NetworkId } from '../store/ids.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import type { NetworkRecord } from '../store/records.ts'
import { makeKeyedSerial } from '../store/serial.ts'
import { highestLinkNumber } from './adoption.ts'
import { converge, preview, underlayMtu } from './converge.ts'
import { createEndpoint, deleteEndpoint, join, leave } from './endpoints.ts'
import { cutFlows } from './flow-cuts.ts'
import { makeGate } from './gate.ts'
import { LiveEndpoints } from './live-endpoints.ts'
import { forgetLostNetwork } from './lost-network.ts'
import { refuseOtherNat } from './network-nat.ts'
import { type NetworkWish, parseNetworkWish } from './network-options.ts'
import { segmentOfPools } from './network-pools.ts'
import { type NetworkDriverParts, openPublishedPorts, portBinding } from './open-ports.ts'
import { checkHasIpv6, checkPlanIsFree } from './plan-check.ts'
import { isNoChange, policyChange, writePolicies } from './policies.ts'
import { formatHostPort, type HostPort } from './port-sockets.ts'
import { hasIpv6Elsewhere, type PortWish, parsePortWishes } from './port-wishes.ts'
import { type PublishedPorts, unknownPublisher } from './published-ports.ts'
import {
  getEndpoint,
  listEndpoints,
  listNetworks,
  listPeers,
  listPolicies,
  listPorts,
  putNetwork,
  removeNetwork,
} from './records.ts'
import { type Recovered, recoverJournal } from './recovery.ts'
import {
  type CreateEndpointRequest,
  type CreateNetworkRequest,
  type EndpointRequest,
  type JoinAnswer,
  type JoinRequest,
  NETLABEL,
  type NetworkRequest,
  type ProgramRequest,
} from './wire.ts'

/** The driver over its stores and its host. Calls for one endpoint or network take turns; others run side by side. */
export class NetworkDriver {
  readonly recovered: Recovered
  readonly #parts: NetworkDriverParts
  readonly #ports: PublishedPorts
  readonly #gate = makeGate()
  readonly #serial = makeKeyedSerial()
  readonly #live: LiveEndpoints
  #seen: ObservedHost
  /** The other hosts as the last look at this one found them in the journal: a Join does not read them all. */
  #peers: readonly PeerRecord[]
  #lastLinkNumber: number
  /** Whether the rules are behind the recorded policies: those of the last call could not be written. */
  #isBehindPolicies = false
  /** Whether forbidden flows may go on: rules were written since, or a plugin before this one died between rules and flows. */
  #mayHaveStrays = true
  #isClosed = false

  /**
   * Recovers the journal from the kernel and brings the host to the recorded state.
   * @throws RomanaError E_STORE, E_RECORD, E_COMMAND, E_HOST
   */
  static async open(parts: NetworkDriverParts): Promise<NetworkDriver> {
    const recovered = await recoverJournal(parts.stores, await parts.host.observe(), parts.plans)
    const { seen } = await converge(parts, 'at start')
    const endpoints = await listEndpoints(parts.stores)
    const driver = new NetworkDriver(parts, {
      recovered,
      seen,
      live: LiveEndpoints.of(parts.plans, endpoints),
      lastLinkNumber: highestLinkNumber(seen, endpoints),
      peers: await listPeers(parts.stores),
    })
    await driver.#ports.settle()
    return driver
  }

  private constructor(
    parts: NetworkDriverParts,
    start: {
      recovered: Recovered
      seen: ObservedHost
      live: LiveEndpoints
      lastLinkNumber: number
      peers: readonly PeerRecord[]
    },
  ) {
    this.#parts = parts
    this.recovered = start.recovered
    this.#seen = start.seen
    this.#peers = start.peers
    this.#live = start.live
    this.#lastLinkNumber = start.lastLinkNumber
    this.#ports = openPublishedPorts(parts, () => this.#seen)
  }

  /** @param driverName by which the engine called. @throws RomanaError E_IPAM_PAIR, E_OPTION, E_POOL_UNKNOWN, E_COMMAND, E_STORE */
  async createNetwork(request: CreateNetworkRequest, driverName: string): Promise<object> {
    const network = await this.#networkRecord(request, parseNetworkWish(request, driverName))
    return this.#gate.exclusive(async () => {
      const others = await listNetworks(this.#parts.stores)
      const isNew = others.every(({ networkId }) => networkId !== network.networkId)
      refuseOtherNat(network, others, this.#parts.masquerade)
      await putNetwork(this.#parts.stores, network)
      try {
        await this.#converge(this.#parts)
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

  /**
   * Removes a network of which the engine will say nothing more, and gives what it was.
   * @throws RomanaError E_NETWORK_UNKNOWN, E_NETWORK_IN_USE, E_COMMAND, E_STORE
   */
  removeLostNetwork(networkId: NetworkId): Promise<NetworkRecord> {
    return this.#gate.exclusive(async () => {
      const network = await forgetLostNetwork(this.#parts.stores, networkId)
      await this.#converge(this.#parts)
      return network
    })
  }

  /** @throws as {@link createEndpoint} */
  createEndpoint(request: CreateEndpointRequest): Promise<object> {
    return this.#forEndpoint(request, () => createEndpoint(this.#endpointParts(), request))
  }

  /** @throws as {@link deleteEndpoint} */
  deleteEndpoint(request: EndpointRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      await this.#ports.withdraw(request.EndpointID)
      await deleteEndpoint(this.#endpointParts(), request)
      return {}
    })
  }

  /** @throws as {@link join} */
  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.#forEndpoint(request, async () => {
      const answer = await join(this.#endpointParts(), request)
      await this.#ports.followSandbox(request.SandboxKey)
      return answer
    })
  }

  /** @throws RomanaError E_STORE */
  leave(request: EndpointRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      await this.#ports.withdraw(request.EndpointID)
      const sandbox = await leave(this.#endpointParts(), request)
      await this.#ports.followSandbox(sandbox)
      return {}
    })
  }

  /**
   * Publishes the container's ports on this endpoint, which has become its way out.
   * @throws RomanaError E_PORT, E_PORT_TAKEN, E_ENDPOINT_UNKNOWN, E_COMMAND, E_STORE
   */
  programExternalConnectivity(request: ProgramRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      const wishes = parsePortWishes(request.Options)
      if (wishes.length === 0) await this.#ports.withdraw(request.EndpointID)
      else await this.#publish(request.EndpointID, wishes, hasIpv6Elsewhere(request.Options) ? [6] : [])
      return {}
    })
  }

  /** @throws RomanaError E_COMMAND, E_STORE */
  revokeExternalConnectivity({ EndpointID, NetworkID }: EndpointRequest): Promise<object> {
    return this.#forEndpoint({ EndpointID, NetworkID }, async () => {
      await this.#ports.withdraw(EndpointID)
      return {}
    })
  }

  /** Whether nobody else on this host can have a published port. */
  isReserved(port: HostPort): boolean {
    return this.#parts.ports.sockets.reserved().some((each) => formatHostPort(each) === formatHostPort(port))
  }

  /** The engine takes port maps from its own drivers only; other readers of its API may not. Unknown endpoints have nothing. */
  endpointOperInfo({ EndpointID }: EndpointRequest): Promise<object> {
    const ports = this.#ports.portsOf(EndpointID)
    return Promise.resolve({
      Value: ports.length === 0 ? {} : { [NETLABEL.portMap]: ports.map(portBinding) },
    })
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
    return this.#gate.exclusive(async () => {
      const change = policyChange(await listPolicies(stores), policies)
      if (isNoChange(change) && !this.#isBehindPolicies) return
      this.#isBehindPolicies = true
      await writePolicies(stores.journal, change, policies)
      await this.#converge(this.#parts)
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

  async #forgetNetwork(networkId: NetworkId): Promise<void> {
    await removeNetwork(this.#parts.stores, networkId)
    await this.#converge(this.#parts)
  }

  /** Must run alone. Endpoints that were found dead publish nothing more. */
  async #converge(parts: NetworkDriverParts): Promise<void> {
    const { seen, isRestored } = await converge(parts)
    this.#seen = seen
    await this.#ports.settle()
    if (!isRestored) return
    this.#mayHaveStrays = true
    this.#parts.onRulesWritten()
  }

  /** An internal network has no way in. */
  async #publish(
    endpointId: EndpointId,
    wishes: readonly PortWish[],
    elsewhere: readonly Family[],
  ): Promise<void> {
    const endpoint = await getEndpoint(this.#parts.stores, endpointId)
    if (endpoint === undefined) throw unknownPublisher(endpointId)
    if (!endpoint.internal) await this.#ports.publish(endpoint, wishes, elsewhere)
  }

  #forEndpoint<T>({ EndpointID }: EndpointRequest, task: () => Promise<T>): Promise<T> {
    return this.#gate.shared(() => this.#serial(EndpointID, task))
  }

  #endpointParts() {
    const { stores, plans, host, uplinks, storeAddresses } = this.#parts
    return {
      stores,
      plans,
      host,
      live: this.#live,
      usualMtu: () => underlayMtu(this.#seen, uplinks, this.#peers),
      peers: this.#peers.map(({ number }) => number),
      isCluster: storeAddresses() !== undefined,
      nextLinkNumber: () => {
        this.#lastLinkNumber += 1
        return this.#lastLinkNumber
      },
    }
  }

  async #networkRecord({ NetworkID }: CreateNetworkRequest, wish: NetworkWish): Promise<NetworkRecord> {
    const segment = await segmentOfPools(this.#parts.stores.journal, wish)
    return { networkId: NetworkID, ...segment, ...wish }
  }
}
