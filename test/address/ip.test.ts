import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { addressOf, anyAddress } from './arbitraries.ts'

describe('Ip.parse() reads', () => {
  test.each([
    ['10.1.17.5', 0x0a011105n, '10.1.17.5'],
    ['0.0.0.0', 0n, '0.0.0.0'],
    ['255.255.255.255', 0xffffffffn, '255.255.255.255'],
    ['::', 0n, '::'],
    ['fd00::5', 0xfd00_0000_0000_0000_0000_0000_0000_0005n, 'fd00::5'],
    ['FD00:0001::0A', 0xfd00_0001_0000_0000_0000_0000_0000_000an, 'fd00:1::a'],
    ['2001:db8:0:1:1:1:1:1', 0x2001_0db8_0000_0001_0001_0001_0001_0001n, '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', 0x0001_0000_0000_0002_0000_0000_0000_0003n, '1:0:0:2::3'],
  ])('%s, the number %s, and prints %s', (text, value, printed) => {
    const address = Ip.parse(text)
    expect(address.value).toBe(value)
    expect(address.toString()).toBe(printed)
  })
})

describe('Ip.parse() refuses', () => {
  test.each([
    ['010.0.0.1', 'an octal byte'],
    ['10.0.0.01', 'a byte with a leading zero'],
    ['0x0a.1', 'a hexadecimal byte'],
    ['0x0a.0.0.1', 'a hexadecimal byte'],
    ['10.1', 'a shortened address'],
    ['167772161', 'a plain number'],
    ['10.0.0.256', 'a byte too large'],
    ['10.0.0.0.1', 'five bytes'],
    ['10.0.0.-1', 'a sign'],
    [' 10.0.0.1', 'a space before'],
    ['10.0.0.1\n', 'a line break behind'],
    ['10.0.0.1/8', 'a prefix length'],
    ['', 'nothing'],
    ['fe80::1%eth0', 'a zone id'],
    ['fe80::1%', 'an empty zone id'],
    ['::ffff:10.0.0.1', 'an IPv4-mapped address'],
    ['::ffff:a00:1', 'an IPv4-mapped address in hexadecimal'],
    ['::10.0.0.1', 'an IPv4-compatible address'],
    ['fd00:::1', 'three colons'],
    ['fd00::1::2', 'two gaps'],
    ['[fd00::1]', 'brackets'],
    ['1:2:3:4:5:6:7', 'seven groups'],
    ['fd00::12345', 'a group of five digits'],
  ])('"%s": %s', (text) => {
    expect(() => Ip.parse(text)).toThrow(
      `Cannot read the address "${text}": it is neither an IPv4 address such as 10.1.17.5 nor an IPv6 address such as fd00::5 (E_ADDRESS)`,
    )
  })
})

test('Ip.parse() reads back what an address prints', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      fc.pre(address.family === 4 || address.value >> 32n !== 0xffffn)
      expect(Ip.parse(address.toString())).toEqual(address)
    }),
  )
})

test('an IPv6 address prints as a URL prints it', () => {
  fc.assert(
    fc.property(
      addressOf(6),
      fc.integer({ min: 0, max: 128 }),
      fc.integer({ min: 0, max: 128 }),
      (any, a, b) => {
        const sparse = Ip.of(6, (any.value >> BigInt(a)) & ~((1n << BigInt(b)) - 1n))
        expect(`[${sparse}]`).toBe(new URL(`http://[${sparse}]`).hostname)
        expect(isIPv6(sparse.toString())).toBe(true)
      },
    ),
  )
})

test('Ip.of() refuses what does not fit the family', () => {
  expect(() => Ip.of(4, 1n << 32n)).toThrow(
    'Cannot make an IPv4 address of 4294967296: it does not fit 32 bits (E_NUMBER)',
  )
  expect(() => Ip.of(4, -1n)).toThrow('E_NUMBER')
  expect(() => Ip.of(6, 1n << 128n)).toThrow('E_NUMBER')
})

test('equals() tells the families apart', () => {
  expect(Ip.of(4, 5n).equals(Ip.of(6, 5n))).toBe(false)
  expect(Ip.of(4, 5n).equals(Ip.of(4, 5n))).toBe(true)
  expect(Ip.of(4, 5n).equals(Ip.of(4, 6n))).toBe(false)
})

test('toBytes() gives the bytes in network order', () => {
  expect(Ip.parse('10.1.17.5').toBytes()).toEqual([10, 1, 17, 5])
  expect(Ip.parse('fd00::102').toBytes()).toEqual([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
})
