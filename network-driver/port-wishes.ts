/** The ports that a person asked for with -p and -P, as the engine sends them. Pure. */
import * as v from 'valibot'
import { Ip } from '../address/ip.ts'
import { RomanaError, reasonOf } from '../errors.ts'
import { PORT_PROTOCOLS, PortNumberSchema, type PortProtocol } from '../store/port-records.ts'
import { NETLABEL } from './wire.ts'

/** Host ports, both ends included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface PortWish {
  readonly protocol: PortProtocol
  /** Absent: all addresses of the host. */
  readonly hostAddress?: Ip
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

/**
 * Whether another endpoint is the container's way out over IPv6 (moby, daemon/libnetwork/drivers/remote: the label is set to
 * true then). That the other way round another one is the way out over IPv4 is never said.
 */
export function hasIpv6Elsewhere(options: Readonly<Record<string, unknown>>): boolean {
  return options[NETLABEL.ipv6Elsewhere] === true
}

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
  const hostAddress = HostIP === '' ? {} : { hostAddress: parseHostAddress(`${Port}/${protocol}`, HostIP) }
  const wish = { protocol, ...hostAddress, containerPort: Port }
  return HostPort === 0
    ? wish
    : { ...wish, hostPorts: { first: HostPort, last: Math.max(HostPort, HostPortEnd) } }
}

function parseHostAddress(port: string, text: string): Ip {
  try {
    return Ip.parse(text)
  } catch (cause) {
    throw wishError(port, reasonOf(cause))
  }
}

/** @param port such as "80/tcp" */
export function wishError(port: string, because: string): RomanaError {
  return new RomanaError('E_PORT', { cannot: `publish port ${port}`, because, remedy: 'Change -p' })
}
