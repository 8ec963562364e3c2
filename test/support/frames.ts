/** Ethernet frames as bytes, honest or not: what a raw socket sends. Pure. */
import { isIPv4 } from 'node:net'

/** Two bytes behind both link addresses, IEEE 802. */
const ETHER_TYPES = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const
/** IANA protocol numbers. */
const PROTOCOLS = { icmp: 1, udp: 17, icmp6: 58 } as const

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

/** RFC 8200. @param hopLimit 255 for what must come from a neighbour. */
export function ipv6(
  { source, destination }: IpAddresses,
  protocol: keyof typeof PROTOCOLS,
  payload: Buffer,
  { dscp, hopLimit = 64 }: Marked & { readonly hopLimit?: number },
): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE((0x6000_0000 | (dscp << 22)) >>> 0, 0)
  header.writeUInt16BE(payload.length, 4)
  header.set([PROTOCOLS[protocol], hopLimit], 6)
  return Buffer.concat([header, ipBytes(source), ipBytes(destination), payload])
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

/** RFC 826. */
export function arpReply(
  at: { readonly mac: string; readonly ip: string },
  to: { readonly mac: string; readonly ip: string },
): Buffer {
  return Buffer.concat([
    ...[1, ETHER_TYPES.ipv4].map(uint16),
    Buffer.from([6, 4]),
    uint16(2),
    ...[at, to].flatMap(({ mac, ip }) => [macBytes(mac), ipBytes(ip)]),
  ])
}

/** A router that offers itself and a prefix, RFC 4861 and RFC 4862. @param prefix of 64 bits. */
export function routerAdvertisement(addresses: IpAddresses, prefix: string): Buffer {
  const lifetimes = Buffer.alloc(8)
  const option = Buffer.concat([
    Buffer.from([3, 4, 64, 0xc0]),
    ...[3600, 3600, 0].map(uint32),
    ipBytes(prefix),
  ])
  const message = Buffer.concat([Buffer.from([134, 0, 0, 0, 64, 0]), uint16(1800), lifetimes, option])
  message.writeUInt16BE(checksum6(addresses, 'icmp6', message), 2)
  return message
}

function withChecksum(message: Buffer): Buffer {
  message.writeUInt16BE(checksum(message), 2)
  return message
}

function checksum6(
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

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

function ipBytes(address: string): Buffer {
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

function uint16(number: number): Buffer {
  return Buffer.from([number >> 8, number & 0xff])
}

function uint32(number: number): Buffer {
  return Buffer.concat([uint16(Math.floor(number / 0x1_0000)), uint16(number % 0x1_0000)])
}
