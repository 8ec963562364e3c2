/**
 * Published ports as sockets of this process: bound, so that nobody else on the host can have them, and listening, so that
 * loopback works without route_localnet. All else is translated by rules and never gets here.
 */

import { formatAddressPort } from '../address/ip.ts'
import { RomanaError, reasonOf } from '../errors.ts'
import {
  formatHostPort,
  type HostPort,
  type PortSockets,
  type PortTarget,
} from '../network-driver/port-sockets.ts'
import type { BoundPort } from './bound-port.ts'
import { listenTcp } from './tcp-port.ts'
import { listenUdp } from './udp-port.ts'

interface Reservation {
  readonly port: HostPort
  readonly bound: BoundPort
}

/** Node.js has no SCTP: such a port is kept from other containers of ours only. */
const NOTHING_BOUND: BoundPort = { close: () => Promise.resolve() }

export function openPortSockets(): PortSockets & { close(): Promise<void> } {
  const reservations = new Map<string, Reservation>()
  const pending = new Set<string>()
  async function release(port: HostPort): Promise<void> {
    const name = formatHostPort(port)
    const reservation = reservations.get(name)
    reservations.delete(name)
    await reservation?.bound.close()
  }
  return {
    async reserve(port, target) {
      const name = formatHostPort(port)
      if (pending.has(name) || [...reservations.values()].some((other) => collide(other.port, port)))
        throw taken(port, `Bind for ${addressOf(port)} failed: port is already allocated`)
      pending.add(name)
      try {
        reservations.set(name, { port, bound: await bind(port, target) })
      } finally {
        pending.delete(name)
      }
    },
    release,
    reserved: () => [...reservations.values()].map(({ port }) => port),
    async close() {
      await Promise.all([...reservations.values()].map(({ port }) => release(port)))
    },
  }
}

/** On all addresses and on one of them. */
function collide(a: HostPort, b: HostPort): boolean {
  const [one, other] = [a.hostAddress, b.hostAddress]
  const isEither = one.value === 0n || other.value === 0n
  const sameAddress = one.equals(other) || (one.family === other.family && isEither)
  return a.protocol === b.protocol && a.hostPort === b.hostPort && sameAddress
}

async function bind(port: HostPort, target: PortTarget): Promise<BoundPort> {
  try {
    if (port.protocol === 'tcp') return await listenTcp(port, target)
    if (port.protocol === 'udp') return await listenUdp(port, target)
    return NOTHING_BOUND
  } catch (cause) {
    throw bindError(port, cause)
  }
}

function bindError(port: HostPort, cause: unknown): RomanaError {
  const because = `Bind for ${addressOf(port)} failed: ${wordsOf(cause)}`
  if (codeOf(cause) === 'EADDRINUSE') return taken(port, because, cause)
  const remedy = 'Name an address that this host has'
  return new RomanaError('E_PORT', { cannot: publishing(port), because, remedy, cause })
}

function taken(port: HostPort, because: string, cause?: unknown): RomanaError {
  const remedy = 'Choose another port of the host, or end what has it'
  return new RomanaError('E_PORT_TAKEN', { cannot: publishing(port), because, remedy, cause })
}

function publishing({ protocol, hostPort }: HostPort): string {
  return `publish host port ${hostPort}/${protocol}`
}

function addressOf({ hostAddress, hostPort }: HostPort): string {
  return formatAddressPort(hostAddress, hostPort)
}

/** The kernel's words, as other programs print them. */
function wordsOf(cause: unknown): string {
  const code = codeOf(cause)
  if (code === 'EADDRINUSE') return 'address already in use'
  if (code === 'EADDRNOTAVAIL') return 'cannot assign requested address'
  if (code === 'EACCES') return 'permission denied'
  return reasonOf(cause)
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
