/** Ethernet frames as bytes, honest or not: what a raw socket sends. Pure. */
import { isIPv4 } from 'node:net'

/** Two bytes behind both link addresses, IEEE 802. */
export const ETHER_TYPES = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const
/** IANA protocol numbers. */
const PROTOCOLS = { icmp: 1, udp: 17, icmp6: 58 } as const

/** The header of a fragment in place of a protocol. */
const FRAGMENT = 44

export interface LinkAddresses {
  readonly from: string
  readonly to: string
}

export interface IpAddresses {
  readonly source: string
  readonly destination: string
}

export interface Fragment {
  /** Bytes, a multiple of eight. */
  readonly offset: number
  readonly isLast: boolean
}

export function frame({ from, to }: LinkAddresses, type: keyof typeof ETHER_TYPES, payload: Buffer): Buffer {
  return Buffer.concat([macBytes(to), macBytes(from), uint16(ETHER_TYPES[type]), payload])
}

/** What a receiver can tell packets by: six bits of the traffic class, which routers leave as they are. */
export interface Marked {
  readonly dscp: number
}

/** RFC 791. @param id of the packet, 16 bits. */
export function ipv4(
  { source, destination }: IpAddresses,
  protocol: keyof typeof PROTOCOLS,
  payload: Buffer,
  { dscp, id = 0, fragment }: Marked & { readonly id?: number; readonly fragment?: Fragment },
): Buffer {
  const header = Buffer.alloc(20)
  header.set([0x45, dscp << 2])
  header.writeUInt16BE(header.length + payload.length, 2)
  header.writeUInt16BE(id, 4)
  if (fragment !== undefined) header.writeUInt16BE((fragment.isLast ? 0 : 0x2000) | (fragment.offset >> 3), 6)
  header.set([64, PROTOCOLS[protocol]], 8)
  header.set([...ipBytes(source), ...ipBytes(destination)], 12)
  header.writeUInt16BE(checksum(header), 10)
  return Buffer.concat([header, payload])
}

/** RFC 8200. @param hopLimit 255 for what must come from a neighbour. @param id of the packet that a fragment is of. */
export function ipv6(
  { source, destination }: IpAddresses,
  protocol: keyof typeof PROTOCOLS,
  payload: Buffer,
  {
    dscp,
    hopLimit = 64,
    id = 0,
    fragment,
  }: Marked & { readonly hopLimit?: number; readonly id?: number; readonly fragment?: Fragment },
): Buffer {
  const number = PROTOCOLS[protocol]
  const extension = fragment === undefined ? Buffer.alloc(0) : fragmentHeader(number, fragment, id)
  const header = Buffer.alloc(8)
  header.writeUInt32BE((0x6000_0000 | (dscp << 22)) >>> 0, 0)
  header.writeUInt16BE(extension.length + payload.length, 4)
  header.set([fragment === undefined ? number : FRAGMENT, hopLimit], 6)
  return Buffer.concat([header, ipBytes(source), ipBytes(destination), extension, payload])
}

/** RFC 8200 4.5. */
function fragmentHeader(protocol: number, { offset, isLast }: Fragment, id: number): Buffer {
  return Buffer.concat([Buffer.from([protocol, 0]), uint16(offset | (isLast ? 0 : 1)), uint32(id)])
}

/** RFC 768. The checksum, over IPv6 too, is that of the addresses; over IPv4 it may be left out. */
export function udp(
  addresses: IpAddresses,
  ports: readonly [source: number, destination: number],
  text: string,
): Buffer {
  const payload = Buffer.from(text)
  const header = Buffer.concat([uint16(ports[0]), uint16(ports[1]), uint16(8 + payload.length), uint16(0)])
  const datagram = Buffer.concat([header, payload])
  if (!isIPv4(addresses.destination)) datagram.writeUInt16BE(checksum6(addresses, 'udp', datagram), 6)
  return datagram
}

/** "Fragmentation needed", RFC 1191. @param about the head of the packet that is said to have been too long. */
export function fragmentationNeeded(mtu: number, about: Buffer): Buffer {
  const head = about.subarray(0, 28)
  return withChecksum(Buffer.concat([Buffer.from([3, 4, 0, 0, 0, 0]), uint16(mtu), head]))
}

/** "Packet too big", RFC 4443. @param about the packet that is said to have been too long. */
export function packetTooBig(addresses: IpAddresses, mtu: number, about: Buffer): Buffer {
  const message = Buffer.concat([Buffer.from([2, 0, 0, 0]), uint32(mtu), about])
  message.writeUInt16BE(checksum6(addresses, 'icmp6', message), 2)
  return message
}

/** RFC 792. @param id of who asks, 16 bits. */
export function echoRequest(id: number): Buffer {
  return withChecksum(Buffer.concat([Buffer.from([8, 0, 0, 0]), uint16(id), uint16(1)]))
}

function withChecksum(message: Buffer): Buffer {
  message.writeUInt16BE(checksum(message), 2)
  return message
}

/** Of what ICMPv6 and UDP carry over IPv6, RFC 8200 8.1. */
export function checksum6(
  { source, destination }: IpAddresses,
  protocol: keyof typeof PROTOCOLS,
  payload: Buffer,
): number {
  const pseudo = [ipBytes(source), ipBytes(destination), uint32(payload.length), uint32(PROTOCOLS[protocol])]
  return checksum(Buffer.concat([...pseudo, payload]))
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** "02:00:00:00:00:01" as six bytes. */
export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

/** An address of either family. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // "::ffff:10.1.2.3" ends in an IPv4 address.
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  if (mapped !== null)
    return Buffer.concat([ipBytes(`${mapped[1]}0:0`).subarray(0, 12), ipBytes(mapped[2] ?? '')])
  const [head = '', tail] = address.split('::')
  const words = (text: string) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
  const [left, right] = [words(head), words(tail ?? '')]
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0)
  return Buffer.concat([...left, ...(tail === undefined ? [] : zeros), ...right].map(uint16))
}

/** In network order. */
export function uint16(number: number): Buffer {
  return Buffer.from([number >> 8, number & 0xff])
}

/** In network order. */
export function uint32(number: number): Buffer {
  return Buffer.concat([uint16(Math.floor(number / 0x1_0000)), uint16(number % 0x1_0000)])
}
