/** What neighbours on a link tell each other, as bytes: ARP, and its like in IPv6. Pure. */
import { checksum6, ETHER_TYPES, type IpAddresses, ipBytes, macBytes, uint16, uint32 } from './frames.ts'

export interface Neighbour {
  readonly mac: string
  readonly ip: string
}

/** "I have this address", RFC 826. */
export function arpReply(at: Neighbour, to: Neighbour): Buffer {
  return arp(2, at, to)
}

/** "Who has this address?" */
export function arpRequest(at: Neighbour, ip: string): Buffer {
  return arp(1, at, { mac: '00:00:00:00:00:00', ip })
}

function arp(operation: number, at: Neighbour, to: Neighbour): Buffer {
  return Buffer.concat([
    ...[1, ETHER_TYPES.ipv4].map(uint16),
    Buffer.from([6, 4]),
    uint16(operation),
    ...[at, to].flatMap(({ mac, ip }) => [macBytes(mac), ipBytes(ip)]),
  ])
}

/** The same over IPv6, RFC 4861: who asks says his own MAC address, who answers that of the target. */
export function neighbourMessage(
  addresses: IpAddresses,
  kind: 'solicitation' | 'advertisement',
  at: Neighbour,
): Buffer {
  const isAnswer = kind === 'advertisement'
  const head = Buffer.from([isAnswer ? 136 : 135, 0, 0, 0])
  const flags = uint32(isAnswer ? 0x2000_0000 : 0)
  const option = Buffer.concat([Buffer.from([isAnswer ? 2 : 1, 1]), macBytes(at.mac)])
  return sealed(addresses, Buffer.concat([head, flags, ipBytes(at.ip), option]))
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
  return sealed(addresses, message)
}

function sealed(addresses: IpAddresses, message: Buffer): Buffer {
  message.writeUInt16BE(checksum6(addresses, 'icmp6', message), 2)
  return message
}
