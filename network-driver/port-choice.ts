/** Which port of this host is taken for a wish: as Docker does, each range goes on behind the port it gave last. */
import { formatAddressPort } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import { addressFor } from '../store/families.ts'
import type { PublishedPort } from '../store/port-records.ts'
import type { EndpointAddresses } from './endpoint-addresses.ts'
import type { PlacedWish } from './port-places.ts'
import type { PortSockets } from './port-sockets.ts'
import type { PortRange } from './port-wishes.ts'

export class PortChoice {
  readonly #sockets: PortSockets
  readonly #anyPorts: PortRange
  readonly #lastGiven = new Map<string, number>()

  /** @param anyPorts where ports come from that nobody named. */
  constructor(sockets: PortSockets, anyPorts: PortRange) {
    this.#sockets = sockets
    this.#anyPorts = anyPorts
  }

  /** Ports for each wish, reserved; or none is. @throws RomanaError E_PORT, E_PORT_TAKEN */
  async reserveAll(wishes: readonly PlacedWish[], endpoint: EndpointAddresses): Promise<PublishedPort[]> {
    return this.#allOrNone(wishes.map((wish) => () => this.#reserve(wish, endpoint)))
  }

  /** The first port that is free on all addresses of the wish. */
  async #reserve(wish: PlacedWish, endpoint: EndpointAddresses): Promise<PublishedPort[]> {
    const { protocol, hostAddresses, hostPorts = this.#anyPorts } = wish
    const range = `${protocol} ${hostAddresses.join(' ')} ${hostPorts.first}-${hostPorts.last}`
    let taken: unknown
    for (const hostPort of portsBehind(hostPorts, this.#lastGiven.get(range))) {
      try {
        const ports = await this.#reserveNumber(hostPort, wish, endpoint)
        this.#lastGiven.set(range, hostPort)
        return ports
      } catch (error) {
        if (!(error instanceof RomanaError) || error.code !== 'E_PORT_TAKEN') throw error
        taken = error
      }
    }
    throw hostPorts.first === hostPorts.last ? taken : allTaken(wish, hostPorts)
  }

  #reserveNumber(hostPort: number, wish: PlacedWish, endpoint: EndpointAddresses): Promise<PublishedPort[]> {
    const { protocol, containerPort } = wish
    const steps = wish.hostAddresses.map((hostAddress) => async () => {
      const port = { protocol, hostAddress, hostPort, containerPort }
      await this.#sockets.reserve(port, {
        address: addressFor(hostAddress.family, endpoint),
        port: containerPort,
      })
      return [port]
    })
    return this.#allOrNone(steps)
  }

  /** One after the other; when one fails, what the others reserved is released. */
  async #allOrNone(steps: readonly (() => Promise<PublishedPort[]>)[]): Promise<PublishedPort[]> {
    const reserved: PublishedPort[] = []
    try {
      for (const step of steps) reserved.push(...(await step()))
      return reserved
    } catch (error) {
      await Promise.all(reserved.map((port) => this.#sockets.release(port)))
      throw error
    }
  }
}

/** Every port of the range once, in order, the one behind the port given last first. */
export function* portsBehind({ first, last }: PortRange, given: number | undefined): Generator<number> {
  const count = last - first + 1
  const start = given === undefined ? 0 : given - first + 1
  for (let step = 0; step < count; step += 1) yield first + ((start + step) % count)
}

function allTaken(
  { protocol, hostAddresses, containerPort }: PlacedWish,
  { first, last }: PortRange,
): RomanaError {
  const places = hostAddresses.map((address) => formatAddressPort(address, `${first}-${last}`))
  return new RomanaError('E_PORT_TAKEN', {
    cannot: `publish port ${containerPort}/${protocol}`,
    because: `Bind for ${places.join(' and ')} failed: all ports are allocated`,
    remedy: 'Choose other host ports',
  })
}
