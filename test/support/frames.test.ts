/** Frames, byte by byte, against what tcpdump and the RFCs say of them. */
import { expect, test } from 'vitest'
import { fragmentationNeeded, frame, ipv4, ipv6, packetTooBig, udp } from './frames.ts'
import { arpReply, routerAdvertisement } from './neighbour-frames.ts'

const IPV4 = { source: '10.1.17.2', destination: '10.1.17.3' }
const IPV6 = { source: 'fd00::1', destination: '::ffff:10.1.17.2' }

/** Groups of two bytes. */
function hex(bytes: Buffer): string {
  return bytes.toString('hex').replaceAll(/(....)(?=.)/g, '$1 ')
}

/** The sum that a receiver makes: 0 when the checksum is right, RFC 1071. */
function sumOf(bytes: Buffer): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += bytes.readUInt16BE(index)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

test('a datagram in a packet in a frame', () => {
  const packet = ipv4(IPV4, 'udp', udp(IPV4, [1024, 9], 'hi'), { dscp: 1, id: 7 })
  const link = { from: '02:42:0a:01:11:02', to: '02:00:00:00:00:01' }
  expect(hex(frame(link, 'ipv4', packet))).toBe(
    '0200 0000 0001 0242 0a01 1102 0800 ' +
      '4504 001e 0007 0000 4011 44be 0a01 1102 0a01 1103 ' +
      '0400 0009 000a 0000 6869',
  )
  expect(sumOf(packet.subarray(0, 20))).toBe(0)
})

test('fragments say where they belong, and whether there are more', () => {
  const part = (offset: number, isLast: boolean) =>
    hex(ipv4(IPV4, 'icmp', Buffer.alloc(8), { dscp: 1, fragment: { offset, isLast } }).subarray(6, 8))
  expect([part(0, false), part(64, true)]).toEqual(['2000', '0008'])
})

test('an error carries the head of what it is about', () => {
  const about = ipv4(IPV4, 'udp', udp(IPV4, [1, 2], 'long'), { dscp: 0 })
  const error = fragmentationNeeded(600, about)
  expect(sumOf(error)).toBe(0)
  expect(hex(error.subarray(0, 8))).toMatch(/^0304 .... 0000 0258$/)
  expect(error.subarray(8)).toEqual(about.subarray(0, 28))
})

test('IPv6, an address with an IPv4 one in it, and a checksum over both', () => {
  const datagram = udp(IPV6, [1, 2], 'hi')
  const packet = ipv6(IPV6, 'udp', datagram, { dscp: 1 })
  expect(hex(packet.subarray(0, 40))).toBe(
    '6040 0000 000a 1140 fd00 0000 0000 0000 0000 0000 0000 0001 0000 0000 0000 0000 0000 ffff 0a01 1102',
  )
  const pseudo = Buffer.concat([packet.subarray(8, 40), Buffer.from([0, 0, 0, 10, 0, 0, 0, 17])])
  expect(sumOf(Buffer.concat([pseudo, datagram]))).toBe(0)
})

test('an error over IPv6 carries what it is about', () => {
  const addresses = { source: 'fd00::9', destination: 'fd00::1' }
  const about = ipv6(IPV6, 'udp', udp(IPV6, [1, 2], 'long'), { dscp: 0 })
  const error = packetTooBig(addresses, 1280, about)
  expect(hex(error.subarray(0, 8))).toMatch(/^0200 .... 0000 0500$/)
  expect(error.subarray(8)).toEqual(about)
  const ends = ipv6(addresses, 'icmp6', error, { dscp: 0 }).subarray(8, 40)
  const pseudo = Buffer.concat([ends, Buffer.from([0, 0, 0, error.length, 0, 0, 0, 58])])
  expect(sumOf(Buffer.concat([pseudo, error]))).toBe(0)
})

test('a router offers a prefix, and an answer tells whose link address an address has', () => {
  const message = routerAdvertisement({ source: 'fe80::bad', destination: 'ff02::1' }, '2001:db8:bad::')
  expect(hex(message)).toMatch(
    /^8600 .... 4000 0708 0000 0000 0000 0000 0304 40c0 0000 0e10 0000 0e10 0000 0000 2001 0db8 0bad( 0000){5}$/,
  )
  const [liar, host] = ['02:00:00:00:00:02', '02:00:00:00:00:01']
  expect(hex(arpReply({ mac: liar ?? '', ip: '10.1.17.2' }, { mac: host ?? '', ip: '10.1.18.1' }))).toBe(
    '0001 0800 0604 0002 0200 0000 0002 0a01 1102 0200 0000 0001 0a01 1201',
  )
})
