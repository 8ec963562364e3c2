/**
 * What a Docker engine does with its plugin: the calls of each of its actions, in the order and with the bodies of
 * Docker 29 (`test/fixtures/` has recordings), and what it undoes when a call fails. It says nothing about how the plugin
 * is called, so the same engine speaks to the drivers themselves and to a socket.
 */

import { fieldOf, textOf } from './docker-answers.ts'

/** One call. Gives the answer's body. @throws Error with the answer's text when the plugin refuses */
export type CallPlugin = (method: string, body: object) => Promise<unknown>

/** What the engine does with the container's end of a link, by name. */
export interface Sandboxes {
  enterContainer(containerLink: string): void
  leaveContainer(containerLink: string): void
}

/** What was typed behind `docker network create`. */
export interface NetworkOptions {
  readonly tenant?: string
  readonly segment?: string
  readonly subnet?: string
  readonly gateway?: string
  readonly aux?: string
  readonly internal?: boolean
  /** `--ipv6`; with "only", `--ipv4=false` too. The subnet and gateway above are of the first family. */
  readonly ipv6?: boolean | 'only'
  readonly options?: Readonly<Record<string, string>>
}

export interface EngineNetwork {
  readonly id: string
  readonly poolId: string
  /** The cell. */
  readonly pool: string
  /** With a length, as in "10.1.17.1/24". */
  readonly gateway: string
  readonly aux?: string
  /** The IPv6 pool of a dual-stack network. */
  readonly second?: EnginePool
}

/** What the engine keeps of one pool. */
type EnginePool = Pick<EngineNetwork, 'poolId' | 'pool' | 'gateway'>

export interface EngineEndpoint {
  readonly id: string
  readonly network: EngineNetwork
  /** Without a length. */
  readonly address: string
  /** IPv6 beside IPv4; "" without. */
  readonly address6: string
  /** The container's end, as Join named it. */
  readonly link: string
}

/** What was typed behind `docker run`. */
export interface RunOptions {
  readonly ip?: string
  readonly mac?: string
  /** Another endpoint of the same container. */
  readonly sandbox?: string
  /** As the engine sends what -p asks for. */
  readonly ports?: readonly PortBinding[]
}

export interface PortBinding {
  readonly Proto: number
  readonly Port: number
  readonly HostIP?: string
  readonly HostPort?: number
  readonly HostPortEnd?: number
}

const GATEWAY = 'com.docker.network.gateway'
const EXPOSED_PORTS = 'com.docker.network.endpoint.exposedports'
const PORT_MAP = 'com.docker.network.portmap'

export class DockerEngine {
  readonly #call: CallPlugin
  readonly #sandboxes: Sandboxes

  constructor(call: CallPlugin, sandboxes: Sandboxes) {
    this.#call = call
    this.#sandboxes = sandboxes
  }

  /** `docker network create`. @throws Error of the plugin, behind its roll-back */
  async createNetwork(id: string, wish: NetworkOptions = {}): Promise<EngineNetwork> {
    const { gateway, aux, ipv6 = false } = wish
    const first = await this.#requestPool(wish, ipv6 === 'only')
    const network = { id, ...first, gateway: gateway ?? first.gateway, ...(aux !== undefined && { aux }) }
    let whole: EngineNetwork = network
    try {
      if (ipv6 === true)
        whole = { ...network, second: await this.#requestPool({ ...wish, subnet: '' }, true) }
      return await this.#createNetwork(whole, wish)
    } catch (error) {
      await this.#releasePools(whole)
      throw error
    }
  }

  async #requestPool({ tenant, segment, subnet = '' }: NetworkOptions, V6: boolean): Promise<EnginePool> {
    const Options = { ...(tenant !== undefined && { tenant }), ...(segment !== undefined && { segment }) }
    const request = { AddressSpace: 'RomanaLocal', Pool: subnet, SubPool: '', Options, V6 }
    const taken = await this.#call('IpamDriver.RequestPool', request)
    const gateway = textOf(fieldOf(taken, 'Data'), GATEWAY)
    return { poolId: textOf(taken, 'PoolID'), pool: textOf(taken, 'Pool'), gateway }
  }

  async #createNetwork(network: EngineNetwork, wish: NetworkOptions): Promise<EngineNetwork> {
    const { id, poolId, pool, aux, second } = network
    const { ipv6 = false } = wish
    const gateway = wish.gateway === undefined ? network.gateway : await this.#gateway(poolId, wish.gateway)
    if (aux !== undefined) await this.#requestAddress(poolId, aux, null)
    const first = {
      AddressSpace: 'RomanaLocal',
      AuxAddresses: aux === undefined ? {} : { aux: aux + lengthOf(pool) },
      Gateway: gateway,
      Pool: pool,
    }
    await this.#call('NetworkDriver.CreateNetwork', {
      NetworkID: id,
      Options: {
        'com.docker.network.enable_ipv4': ipv6 !== 'only',
        'com.docker.network.enable_ipv6': ipv6 !== false,
        'com.docker.network.generic': wish.options ?? {},
        ...(wish.internal === true && { 'com.docker.network.internal': true }),
      },
      IPv4Data: ipv6 === 'only' ? [] : [first],
      IPv6Data: [
        ...(ipv6 === 'only' ? [first] : []),
        ...(second === undefined
          ? []
          : [{ ...first, AuxAddresses: {}, Gateway: second.gateway, Pool: second.pool }]),
      ],
    })
    return { ...network, gateway }
  }

  /** `docker network rm`: the addresses and the pool go before the network. The engine forgets it whatever is answered. */
  async removeNetwork(network: EngineNetwork): Promise<void> {
    await this.#releasePools(network)
    await this.#ignoring('NetworkDriver.DeleteNetwork', { NetworkID: network.id })
  }

  /** `docker run`, or `docker network connect`. @throws Error of the plugin, behind the roll-back of what came before */
  async run(
    id: string,
    network: EngineNetwork,
    { ip = '', mac = '', ports = [], sandbox = id }: RunOptions = {},
  ): Promise<EngineEndpoint> {
    const options = { 'com.docker.network.endpoint.name': `container-${id}` }
    const given = await this.#requestAddress(network.poolId, ip, options)
    let created = { id, network, address: withoutLength(given), address6: '', link: '' }
    try {
      const given6 =
        network.second === undefined ? '' : await this.#requestAddress(network.second.poolId, '', options)
      created = { ...created, address6: withoutLength(given6) }
      const addresses = given.includes(':')
        ? { Address: '', AddressIPv6: given }
        : { Address: given, AddressIPv6: given6 }
      await this.#call('NetworkDriver.CreateEndpoint', {
        ...namesOf(created),
        Interface: { ...addresses, MacAddress: mac },
        Options: portOptions(ports),
      })
    } catch (error) {
      await this.#releaseAddresses(created)
      throw error
    }
    return this.#start(created, sandbox, portOptions(ports))
  }

  async #start(created: EngineEndpoint, sandbox: string, Options: object): Promise<EngineEndpoint> {
    const endpoint = { ...created, link: await this.#join(created, sandbox, Options) }
    this.#sandboxes.enterContainer(endpoint.link)
    try {
      await this.#call('NetworkDriver.ProgramExternalConnectivity', { ...namesOf(endpoint), Options })
    } catch (error) {
      await this.#ignoring('NetworkDriver.Leave', namesOf(endpoint))
      await this.stop(endpoint)
      throw error
    }
    await this.#ignoring('NetworkDriver.EndpointOperInfo', namesOf(endpoint))
    return endpoint
  }

  async #join(endpoint: EngineEndpoint, sandbox: string, Options: object): Promise<string> {
    const SandboxKey = `/var/run/docker/netns/${sandbox}`
    try {
      const joined = await this.#call('NetworkDriver.Join', {
        ...namesOf(endpoint),
        SandboxKey,
        Options,
      })
      return textOf(fieldOf(joined, 'InterfaceName'), 'SrcName')
    } catch (error) {
      await this.#ignoring('NetworkDriver.Leave', namesOf(endpoint))
      await this.remove(endpoint)
      throw error
    }
  }

  /** `docker stop`: the link is in the container until Leave is answered. Errors are logged by the engine and forgotten. */
  async stop(endpoint: EngineEndpoint): Promise<void> {
    await this.#ignoring('NetworkDriver.RevokeExternalConnectivity', namesOf(endpoint))
    await this.#ignoring('NetworkDriver.Leave', namesOf(endpoint))
    this.#sandboxes.leaveContainer(endpoint.link)
    await this.remove(endpoint)
  }

  /** What an engine that starts does for an endpoint of its store whose container has died. */
  async bury(endpoint: EngineEndpoint): Promise<void> {
    await this.#ignoring('NetworkDriver.Leave', namesOf(endpoint))
    await this.remove(endpoint)
  }

  /** The end of an endpoint that has left, or never joined. */
  async remove(endpoint: EngineEndpoint): Promise<void> {
    await this.#ignoring('NetworkDriver.DeleteEndpoint', namesOf(endpoint))
    await this.#releaseAddresses(endpoint)
  }

  async #releaseAddresses({ network, address, address6 }: EngineEndpoint): Promise<void> {
    await this.#releaseAddress(network.poolId, address)
    if (address6 !== '' && network.second !== undefined)
      await this.#releaseAddress(network.second.poolId, address6)
  }

  async #gateway(poolId: string, wanted: string): Promise<string> {
    return this.#requestAddress(poolId, wanted, { RequestAddressType: GATEWAY })
  }

  async #requestAddress(PoolID: string, Address: string, Options: object | null): Promise<string> {
    return textOf(await this.#call('IpamDriver.RequestAddress', { PoolID, Address, Options }), 'Address')
  }

  async #releasePools(network: EngineNetwork): Promise<void> {
    await this.#releasePool(network)
    if (network.second !== undefined) await this.#releasePool(network.second)
  }

  async #releasePool({ poolId, gateway, aux }: EnginePool & { readonly aux?: string }): Promise<void> {
    await this.#releaseAddress(poolId, withoutLength(gateway))
    if (aux !== undefined) await this.#releaseAddress(poolId, aux)
    await this.#ignoring('IpamDriver.ReleasePool', { PoolID: poolId })
  }

  async #releaseAddress(PoolID: string, Address: string): Promise<void> {
    await this.#ignoring('IpamDriver.ReleaseAddress', { PoolID, Address })
  }

  async #ignoring(method: string, body: object): Promise<void> {
    await this.#call(method, body).catch(() => undefined)
  }
}

function portOptions(ports: readonly PortBinding[]): object {
  return { [EXPOSED_PORTS]: ports.map(({ Proto, Port }) => ({ Proto, Port })), [PORT_MAP]: ports }
}

function namesOf({ id, network }: EngineEndpoint): { NetworkID: string; EndpointID: string } {
  return { NetworkID: network.id, EndpointID: id }
}

function withoutLength(address: string): string {
  return address.replace(/\/\d+$/, '')
}

/** "/24" */
function lengthOf(cidr: string): string {
  return cidr.slice(cidr.indexOf('/'))
}
