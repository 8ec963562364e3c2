/** Which port of this host is taken for a wish: as Docker does, each range goes on behind the port it gave last. */
import { RomanaError } from '../errors.ts'
import type { PublishedPort } from '../store/port-records.ts'
import type { PortSockets, PortTarget } from './port-sockets.ts'
import type { PortRange, PortWish } from './port-wishes.ts'

export class PortChoice {
  readonly #sockets: PortSockets
  readonly #anyPorts: PortRange
  readonly #lastGiven = new Map<string, number>()

  /** @param anyPorts where ports come from that nobody named. */
  constructor(sockets: PortSockets, anyPorts: PortRange) {
    this.#sockets = sockets
    this.#anyPorts = anyPorts
  }

  /** A port for each wish, reserved; or none is. @throws RomanaError E_PORT, E_PORT_TAKEN */
  async reserveAll(wishes: readonly PortWish[], address: PortTarget['address']): Promise<PublishedPort[]> {
    const reserved: PublishedPort[] = []
    try {
      for (const wish of wishes) reserved.push(await this.#reserve(wish, address))
      return reserved
    } catch (error) {
      await Promise.all(reserved.map((port) => this.#sockets.release(port)))
      throw error
    }
  }

  async #reserve(wish: PortWish, address: PortTarget['address']): Promise<PublishedPort> {
    const { protocol, hostAddress, containerPort, hostPorts = this.#anyPorts } = wish
    const range = `${protocol} ${hostAddress} ${hostPorts.first}-${hostPorts.last}`
    let taken: unknown
    for (const hostPort of portsBehind(hostPorts, this.#lastGiven.get(range))) {
      const port = { protocol, hostAddress, hostPort, containerPort }
      try {
        await this.#sockets.reserve(port, { address, port: containerPort })
        this.#lastGiven.set(range, hostPort)
        return port
      } catch (error) {
        if (!(error instanceof RomanaError) || error.code !== 'E_PORT_TAKEN') throw error
        taken = error
      }
    }
    throw hostPorts.first === hostPorts.last ? taken : allTaken(wish, hostPorts)
  }
}

/** Every port of the range once, in order, the one behind the port given last first. */
export function* portsBehind({ first, last }: PortRange, given: number | undefined): Generator<number> {
  const count = last - first + 1
  const start = given === undefined ? 0 : given - first + 1
  for (let step = 0; step < count; step += 1) yield first + ((start + step) % count)
}

function allTaken(
  { protocol, hostAddress, containerPort }: PortWish,
  { first, last }: PortRange,
): RomanaError {
  return new RomanaError('E_PORT_TAKEN', {
    cannot: `publish port ${containerPort}/${protocol}`,
    because: `Bind for ${hostAddress}:${first}-${last} failed: all ports are allocated`,
    remedy: 'Choose other host ports',
  })
}
