/** The ports that a person asked for with -p and -P, as the engine sends them. Pure. */
import * as v from 'valibot'
import { Ip } from '../address/ip.ts'
import { RomanaError, reasonOf } from '../errors.ts'
import {
  PORT_PROTOCOLS,
  PortNumberSchema,
  type PortProtocol,
  type PublishedPort,
} from '../store/port-records.ts'
import { NETLABEL } from './wire.ts'

/** Host ports, both ends included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface PortWish {
  readonly protocol: PortProtocol
  readonly hostAddress: Ip
  /** Absent: any port will do. */
  readonly hostPorts?: PortRange
  readonly containerPort: number
}

/** A number of 0 stands for none (moby, daemon/libnetwork/types: PortBinding). */
const anyPort = v.optional(v.union([v.literal(0), PortNumberSchema]), 0)
const PortBinding = v.object({
  Proto: v.number(),
  Port: PortNumberSchema,
  HostIP: v.optional(v.string(), ''),
  HostPort: anyPort,
  HostPortEnd: anyPort,
})
type PortBinding = v.InferOutput<typeof PortBinding>

const PortMap = v.nullish(v.array(PortBinding), [])

/** Numbers of IP protocols (IANA). */
export const PROTOCOL_NUMBERS: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 }

/** @throws RomanaError E_PORT, E_REQUEST */
export function parsePortWishes(options: Readonly<Record<string, unknown>>): PortWish[] {
  const parsed = v.safeParse(PortMap, options[NETLABEL.portMap])
  if (parsed.success) return parsed.output.map(parseBinding)
  throw new RomanaError('E_REQUEST', {
    cannot: 'read the ports to publish',
    because: v.summarize(parsed.issues),
  })
}

function parseBinding({ Proto, Port, HostIP, HostPort, HostPortEnd }: PortBinding): PortWish {
  const protocol = PORT_PROTOCOLS.find((name) => PROTOCOL_NUMBERS[name] === Proto)
  if (protocol === undefined) throw wishError(`${Port}/${Proto}`, `protocol ${Proto} has no ports`)
  const wish = { protocol, hostAddress: parseHostAddress(`${Port}/${protocol}`, HostIP), containerPort: Port }
  return HostPort === 0
    ? wish
    : { ...wish, hostPorts: { first: HostPort, last: Math.max(HostPort, HostPortEnd) } }
}

function parseHostAddress(port: string, text: string): Ip {
  const address = parseIp(port, text === '' ? '0.0.0.0' : text)
  if (address.family === 4) return address
  throw wishError(port, `${address} is an IPv6 address, and this release publishes on IPv4 only`)
}

function parseIp(port: string, text: string): Ip {
  try {
    return Ip.parse(text)
  } catch (cause) {
    throw wishError(port, reasonOf(cause))
  }
}

function wishError(port: string, because: string): RomanaError {
  return new RomanaError('E_PORT', { cannot: `publish port ${port}`, because, remedy: 'Change -p' })
}

/** Whether these ports are what was asked for: then a call that comes again finds its work done. */
export function fulfil(ports: readonly PublishedPort[], wishes: readonly PortWish[]): boolean {
  return ports.length === wishes.length && ports.every((port, index) => fulfils(port, wishes[index]))
}

function fulfils(port: PublishedPort, wish: PortWish | undefined): boolean {
  if (wish === undefined) return false
  const { first, last } = wish.hostPorts ?? { first: 1, last: 65535 }
  return (
    port.protocol === wish.protocol &&
    port.containerPort === wish.containerPort &&
    port.hostAddress.equals(wish.hostAddress) &&
    first <= port.hostPort &&
    port.hostPort <= last
  )
}
