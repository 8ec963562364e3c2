import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cidr, hostCidr, parseAddressWithLength } from '../../address/cidr.ts'
import { ADDRESS_BITS, Ip } from '../../address/ip.ts'
import { addressOf, anyCidr, cidrOf } from './arbitraries.ts'

describe('Cidr.parse() reads', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0', '10.255.255.255'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['10.1.17.5/32', '10.1.17.5', '10.1.17.5'],
    ['fd00:1:2::/48', 'fd00:1:2::', 'fd00:1:2:ffff:ffff:ffff:ffff:ffff'],
    ['::/0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('%s, which goes from %s to %s', (text, first, last) => {
    const cidr = Cidr.parse(text)
    expect(cidr.network.toString()).toBe(first)
    expect(cidr.last.toString()).toBe(last)
    expect(cidr.toString()).toBe(text)
  })
})

describe('Cidr.parse() refuses', () => {
  test.each([
    ['10.0.0.0/08', 'a length with a leading zero'],
    [' 10.0.0.0/8', 'a space before'],
    ['10.0.0.0/8 ', 'a space behind'],
    ['10.0.0.0/8\n', 'a line break behind'],
    ['10.0.0.0/', 'no length'],
    ['10.0.0.0', 'no slash'],
    ['/8', 'no address'],
    ['10.0.0.0/+8', 'a sign'],
    ['10.0.0.0/8/8', 'two lengths'],
    ['10.0.0.0/255.0.0.0', 'a netmask'],
    ['010.0.0.0/8', 'an octal byte'],
    ['10/8', 'a shortened address'],
    ['10.0.0.0/33', 'a length beyond the family'],
    ['fd00::/129', 'a length beyond the family'],
    ['::ffff:10.0.0.0/104', 'an IPv4-mapped network'],
    ['fe80::%1/64', 'a zone id'],
  ])('"%s": %s', (text) => {
    expect(() => Cidr.parse(text)).toThrow('E_ADDRESS')
  })

  test('host bits, and names the network that was meant', () => {
    expect(() => Cidr.parse('10.1.17.5/24')).toThrow(
      'Cannot use "10.1.17.5/24" as a network: bits behind the prefix are set: the network is 10.1.17.0/24 (E_ADDRESS)',
    )
  })
})

test('Cidr.parse() reads back what a network prints', () => {
  fc.assert(
    fc.property(anyCidr, (cidr) => {
      fc.pre(cidr.family === 4 || cidr.network.value >> 32n !== 0xffffn)
      expect(Cidr.parse(cidr.toString()).equals(cidr)).toBe(true)
    }),
  )
})

test('Cidr.around() refuses a length that is no whole number or out of range', () => {
  for (const length of [-1, 33, 8.5, Number.NaN]) {
    expect(() => Cidr.around(Ip.parse('10.0.0.0'), length)).toThrow('E_ADDRESS')
  }
})

test('parseAddressWithLength() keeps host bits', () => {
  const { address, prefixLength } = parseAddressWithLength('10.1.17.5/24')
  expect(`${address} ${prefixLength}`).toBe('10.1.17.5 24')
  expect(() => parseAddressWithLength('10.1.17.5/33')).toThrow('the length of an IPv4 prefix is 0 to 32')
})

test('contains() holds for the first and the last address and not for their neighbours', () => {
  fc.assert(
    fc.property(anyCidr, (cidr) => {
      const { family, network, last } = cidr
      expect([cidr.contains(network), cidr.contains(last)]).toEqual([true, true])
      if (network.value > 0n) expect(cidr.contains(Ip.of(family, network.value - 1n))).toBe(false)
      if (last.value + 1n < 1n << BigInt(ADDRESS_BITS[family])) {
        expect(cidr.contains(Ip.of(family, last.value + 1n))).toBe(false)
      }
    }),
  )
})

test('equals() compares network and length', () => {
  const texts = ['10.0.0.0/8', '10.0.0.0/9', '11.0.0.0/8', '::/8']
  expect(texts.filter((text) => Cidr.parse('10.0.0.0/8').equals(Cidr.parse(text)))).toEqual(['10.0.0.0/8'])
})

test('a network of one family neither contains nor overlaps the other', () => {
  expect(Cidr.parse('0.0.0.0/0').contains(Ip.parse('::1'))).toBe(false)
  expect(Cidr.parse('0.0.0.0/0').overlaps(Cidr.parse('::/0'))).toBe(false)
})

test('overlaps() is true exactly when the two share an address', () => {
  const cases = fc
    .tuple(cidrOf(4), addressOf(4), fc.integer({ min: 0, max: 32 }), fc.boolean())
    .map(([a, any, length, near]) => ({ a, b: Cidr.around(near ? a.last : any, length) }))
  fc.assert(
    fc.property(cases, ({ a, b }) => {
      const shared = a.network.value <= b.last.value && b.network.value <= a.last.value
      expect([a.overlaps(b), b.overlaps(a)]).toEqual([shared, shared])
    }),
  )
})

test('hostCidr() holds one address', () => {
  expect(hostCidr(Ip.parse('10.1.17.5')).toString()).toBe('10.1.17.5/32')
  expect(hostCidr(Ip.parse('fd00::5')).toString()).toBe('fd00::5/128')
  expect(hostCidr(Ip.parse('fd00::5')).size).toBe(1n)
})
