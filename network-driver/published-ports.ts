/** What endpoints publish: reserved by a socket, then recorded, then translated by rules; and the same backwards. */
import type { Family } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import type { UdpPort } from '../host/flows.ts'
import { addressFor } from '../store/families.ts'
import type { EndpointId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import type { EndpointPortsRecord, PublishedPort } from '../store/port-records.ts'
import { type EndpointRecord, formatRecord } from '../store/records.ts'
import type { Change } from '../store/store.ts'
import type { EndpointAddresses } from './endpoint-addresses.ts'
import type { PortChoice } from './port-choice.ts'
import { fulfil, placeWishes, portFamilies } from './port-places.ts'
import { formatHostPort, type PortSockets } from './port-sockets.ts'
import type { PortWish } from './port-wishes.ts'
import { listEndpoints, listPorts, type Stores } from './records.ts'
import { makeRewriter, type Rewrite } from './rewriter.ts'

export interface PublishedPortsParts {
  readonly stores: Stores
  readonly sockets: PortSockets
  readonly choice: PortChoice
  /** Makes the rules follow from the records. @throws RomanaError E_COMMAND, E_STORE */
  readonly writeRules: () => Promise<void>
  /** @throws RomanaError E_COMMAND */
  readonly forgetUdpFlows: (ports: readonly UdpPort[]) => Promise<void>
  /** Told when a recorded port cannot be reserved again. It is tried again with the next look at the host. */
  readonly onLost: (error: unknown) => void
}

interface Published extends EndpointAddresses {
  readonly ports: readonly PublishedPort[]
  readonly sandbox: string | undefined
}

/** Calls for one endpoint take turns ({@link NetworkDriver}). An endpoint without ports costs no look at store or kernel. */
export class PublishedPorts {
  readonly #parts: PublishedPortsParts
  readonly #rewrite: Rewrite
  readonly #published = new Map<EndpointId, Published>()

  constructor(parts: PublishedPortsParts) {
    this.#parts = parts
    this.#rewrite = makeRewriter(parts.writeRules)
  }

  /**
   * A container publishes each family on one of its networks: what another of its endpoints still has, it gives up.
   * @param elsewhere families for which another endpoint is known to be the way out.
   * @throws RomanaError E_PORT, E_PORT_TAKEN, E_STORE, E_COMMAND
   */
  async publish(
    endpoint: EndpointRecord,
    asked: readonly PortWish[],
    elsewhere: readonly Family[] = [],
  ): Promise<void> {
    const { endpointId, sandbox } = endpoint
    const others = this.#othersIn(endpoint)
    const families = portFamilies(
      endpoint,
      others.map(([, published]) => published),
      elsewhere,
    )
    const wishes = placeWishes(asked, families)
    if (wishes.length === 0) return this.withdraw(endpointId)
    for (const [other, { ports }] of others)
      await this.#shrink(
        other,
        ports.filter(({ hostAddress }) => !families.taken.includes(hostAddress.family)),
      )
    const known = this.#published.get(endpointId)
    if (known !== undefined && fulfil(known.ports, wishes)) return this.#rewrite()
    await this.withdraw(endpointId)
    const ports = await this.#parts.choice.reserveAll(wishes, endpoint)
    this.#published.set(endpointId, { ...endpoint, ports, sandbox })
    try {
      await this.#record({ endpointId, ports })
      await this.#rewrite()
      await this.#forgetFlows(ports)
    } catch (error) {
      await this.withdraw(endpointId).catch(() => undefined)
      throw error
    }
  }

  /** @throws RomanaError E_STORE, E_COMMAND */
  withdraw(endpointId: EndpointId): Promise<void> {
    return this.#shrink(endpointId, [])
  }

  /** The record first, the socket last: nobody gets a port that is still translated. @param left what stays of its ports */
  async #shrink(endpointId: EndpointId, left: readonly PublishedPort[]): Promise<void> {
    const known = this.#published.get(endpointId)
    if (known === undefined || left.length === known.ports.length) return
    await this.#record({ endpointId, ports: [...left] })
    await this.#rewrite()
    const gone = known.ports.filter((port) => !left.includes(port))
    await Promise.all(gone.map((port) => this.#parts.sockets.release(port)))
    if (left.length === 0) this.#published.delete(endpointId)
    else this.#published.set(endpointId, { ...known, ports: left })
  }

  /** Another endpoint of the container came or went: which sources are rewritten depends on it. @throws RomanaError */
  async followSandbox(sandbox: string | undefined): Promise<void> {
    const concerned = [...this.#published.values()].some((published) => published.sandbox === sandbox)
    if (sandbox !== undefined && concerned) await this.#rewrite()
  }

  portsOf(endpointId: EndpointId): readonly PublishedPort[] {
    return this.#published.get(endpointId)?.ports ?? []
  }

  /**
   * Brings sockets and records together when the plugin starts and with each look at the host: what no endpoint with a
   * container has goes, what is recorded is reserved. Must run while no endpoint changes. @throws RomanaError E_STORE
   */
  async settle(): Promise<void> {
    const { stores, sockets } = this.#parts
    const endpoints = new Map(
      (await listEndpoints(stores)).map((endpoint) => [endpoint.endpointId, endpoint]),
    )
    this.#published.clear()
    for (const { endpointId, ports } of await listPorts(stores)) {
      const endpoint = endpoints.get(endpointId)
      if (endpoint?.joined === true)
        this.#published.set(endpointId, { ...endpoint, ports, sandbox: endpoint.sandbox })
      else await stores.journal.commit([{ kind: 'remove', key: journalKeys.endpointPorts(endpointId) }])
    }
    const wanted = new Set([...this.#published.values()].flatMap(({ ports }) => ports.map(formatHostPort)))
    const stale = sockets.reserved().filter((port) => !wanted.has(formatHostPort(port)))
    await Promise.all(stale.map((port) => sockets.release(port)))
    await this.#reserveMissing()
  }

  async #reserveMissing(): Promise<void> {
    const { sockets, onLost } = this.#parts
    const present = new Set(sockets.reserved().map(formatHostPort))
    for (const { ports, ...endpoint } of this.#published.values()) {
      for (const port of ports.filter((recorded) => !present.has(formatHostPort(recorded)))) {
        const address = addressFor(port.hostAddress.family, endpoint)
        await sockets.reserve(port, { address, port: port.containerPort }).catch(onLost)
      }
    }
  }

  /** Behind the rules: a flow that begins now is translated. A kernel that cannot forget flows lets them run out. */
  async #forgetFlows(ports: readonly PublishedPort[]): Promise<void> {
    const udp = ports
      .filter(({ protocol }) => protocol === 'udp')
      .map(({ hostAddress: { family }, hostPort }) => ({ family, port: hostPort }))
    if (udp.length > 0) await this.#parts.forgetUdpFlows(udp).catch(() => undefined)
  }

  async #record(record: EndpointPortsRecord): Promise<void> {
    const key = journalKeys.endpointPorts(record.endpointId)
    const isEmpty = record.ports.length === 0
    const change: Change = isEmpty
      ? { kind: 'remove', key }
      : { kind: 'put', key, value: formatRecord(record) }
    await this.#parts.stores.journal.commit([change])
  }

  /** What other endpoints of the same container publish. */
  #othersIn({ endpointId, sandbox }: EndpointRecord): [EndpointId, Published][] {
    const found = [...this.#published].filter(
      ([other, published]) => other !== endpointId && published.sandbox === sandbox,
    )
    return sandbox === undefined ? [] : found
  }
}

/** @throws RomanaError E_ENDPOINT_UNKNOWN */
export function unknownPublisher(endpointId: EndpointId): RomanaError {
  return new RomanaError('E_ENDPOINT_UNKNOWN', {
    cannot: `publish ports of endpoint "${endpointId}"`,
    because: 'Romana has no record of the endpoint',
    remedy: 'Start the container again',
  })
}
