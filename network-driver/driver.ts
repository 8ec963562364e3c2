/** NetworkDriver.*: each call changes records, then the kernel follows, then the engine is answered. */
import type { Family } from '../address/ip.ts'
import type { EndpointId, NetworkId } from '../store/ids.ts'
import type { EndpointRecord, NetworkRecord } from '../store/records.ts'
import { makeKeyedSerial } from '../store/serial.ts'
import { highestLinkNumber } from './adoption.ts'
import { createEndpoint, deleteEndpoint, join, leave } from './endpoints.ts'
import { LiveEndpoints } from './live-endpoints.ts'
import { forgetLostNetwork } from './lost-network.ts'
import { refuseOtherNat } from './network-nat.ts'
import { type NetworkWish, parseNetworkWish } from './network-options.ts'
import { segmentOfPools } from './network-pools.ts'
import { type NetworkDriverParts, portBinding } from './open-ports.ts'
import { formatHostPort, type HostPort } from './port-sockets.ts'
import { hasIpv6Elsewhere, type PortWish, parsePortWishes } from './port-wishes.ts'
import { unknownPublisher } from './published-ports.ts'
import { getEndpoint, listEndpoints, listNetworks, putNetwork, removeNetwork } from './records.ts'
import { type Recovered, recoverJournal } from './recovery.ts'
import { WholeHost } from './whole-host.ts'
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
  /** For what concerns no single call. */
  readonly host: WholeHost
  readonly #parts: NetworkDriverParts
  readonly #serial = makeKeyedSerial()
  readonly #live: LiveEndpoints
  #lastLinkNumber: number

  /**
   * Recovers the journal from the kernel and brings the host to the recorded state.
   * @throws RomanaError E_STORE, E_RECORD, E_COMMAND, E_HOST
   */
  static async open(parts: NetworkDriverParts): Promise<NetworkDriver> {
    const recovered = await recoverJournal(parts.stores, await parts.host.observe(), parts.plans)
    const host = await WholeHost.open(parts)
    return new NetworkDriver(parts, recovered, host, await listEndpoints(parts.stores))
  }

  private constructor(
    parts: NetworkDriverParts,
    recovered: Recovered,
    host: WholeHost,
    endpoints: readonly EndpointRecord[],
  ) {
    this.#parts = parts
    this.recovered = recovered
    this.host = host
    this.#live = LiveEndpoints.of(parts.plans, endpoints)
    this.#lastLinkNumber = highestLinkNumber(host.seen, endpoints)
  }

  /** @param driverName by which the engine called. @throws RomanaError E_IPAM_PAIR, E_OPTION, E_POOL_UNKNOWN, E_COMMAND, E_STORE */
  async createNetwork(request: CreateNetworkRequest, driverName: string): Promise<object> {
    const network = await this.#networkRecord(request, parseNetworkWish(request, driverName))
    return this.host.alone(async (settle) => {
      const others = await listNetworks(this.#parts.stores)
      const isNew = others.every(({ networkId }) => networkId !== network.networkId)
      refuseOtherNat(network, others, this.#parts.masquerade)
      await putNetwork(this.#parts.stores, network)
      try {
        await settle()
      } catch (error) {
        // The engine never names a network again that could not be made.
        if (isNew) await this.#forgetNetwork(network.networkId, settle).catch(() => undefined)
        throw error
      }
      return {}
    })
  }

  /** The engine refuses to remove a network that has endpoints. @throws RomanaError E_COMMAND, E_STORE */
  deleteNetwork({ NetworkID }: NetworkRequest): Promise<object> {
    return this.host.alone(async (settle) => {
      await this.#forgetNetwork(NetworkID, settle)
      return {}
    })
  }

  /**
   * Removes a network of which the engine will say nothing more, and gives what it was.
   * @throws RomanaError E_NETWORK_UNKNOWN, E_NETWORK_IN_USE, E_COMMAND, E_STORE
   */
  removeLostNetwork(networkId: NetworkId): Promise<NetworkRecord> {
    return this.host.alone(async (settle) => {
      const network = await forgetLostNetwork(this.#parts.stores, networkId)
      await settle()
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
      await this.host.ports.withdraw(request.EndpointID)
      await deleteEndpoint(this.#endpointParts(), request)
      return {}
    })
  }

  /** @throws as {@link join} */
  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.#forEndpoint(request, async () => {
      const answer = await join(this.#endpointParts(), request)
      await this.host.ports.followSandbox(request.SandboxKey)
      return answer
    })
  }

  /** @throws RomanaError E_STORE */
  leave(request: EndpointRequest): Promise<object> {
    return this.#forEndpoint(request, async () => {
      await this.host.ports.withdraw(request.EndpointID)
      const sandbox = await leave(this.#endpointParts(), request)
      await this.host.ports.followSandbox(sandbox)
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
      if (wishes.length === 0) await this.host.ports.withdraw(request.EndpointID)
      else await this.#publish(request.EndpointID, wishes, hasIpv6Elsewhere(request.Options) ? [6] : [])
      return {}
    })
  }

  /** @throws RomanaError E_COMMAND, E_STORE */
  revokeExternalConnectivity({ EndpointID, NetworkID }: EndpointRequest): Promise<object> {
    return this.#forEndpoint({ EndpointID, NetworkID }, async () => {
      await this.host.ports.withdraw(EndpointID)
      return {}
    })
  }

  /** Whether nobody else on this host can have a published port. */
  isReserved(port: HostPort): boolean {
    return this.#parts.ports.sockets.reserved().some((each) => formatHostPort(each) === formatHostPort(port))
  }

  /** The engine takes port maps from its own drivers only; other readers of its API may not. Unknown endpoints have nothing. */
  endpointOperInfo({ EndpointID }: EndpointRequest): Promise<object> {
    const ports = this.host.ports.portsOf(EndpointID)
    return Promise.resolve({
      Value: ports.length === 0 ? {} : { [NETLABEL.portMap]: ports.map(portBinding) },
    })
  }

  async #forgetNetwork(networkId: NetworkId, settle: () => Promise<void>): Promise<void> {
    await removeNetwork(this.#parts.stores, networkId)
    await settle()
  }

  /** An internal network has no way in. */
  async #publish(
    endpointId: EndpointId,
    wishes: readonly PortWish[],
    elsewhere: readonly Family[],
  ): Promise<void> {
    const endpoint = await getEndpoint(this.#parts.stores, endpointId)
    if (endpoint === undefined) throw unknownPublisher(endpointId)
    if (!endpoint.internal) await this.host.ports.publish(endpoint, wishes, elsewhere)
  }

  #forEndpoint<T>({ EndpointID }: EndpointRequest, task: () => Promise<T>): Promise<T> {
    return this.host.beside(() => this.#serial(EndpointID, task))
  }

  #endpointParts() {
    const { stores, plans, host, storeAddresses } = this.#parts
    return {
      stores,
      plans,
      host,
      live: this.#live,
      usualMtu: () => this.host.mtu,
      peers: this.host.peers,
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
