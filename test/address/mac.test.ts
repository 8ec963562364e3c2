import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { encodeAddress } from '../../address/codec.ts'
import { Ip } from '../../address/ip.ts'
import { macOf } from '../../address/mac.ts'
import { addressOf, anyAddress, numbersOf } from './arbitraries.ts'

describe('macOf() gives', () => {
  test.each([
    ['10.1.17.5', '02:52:0a:01:11:05'],
    ['192.168.255.254', '02:52:c0:a8:ff:fe'],
    ['fd00::5', '02:00:00:00:00:05'],
    ['fd00:1:2:1:101::5', '02:00:01:00:01:07'],
    ['fd00:1:2:1:101::6', '02:00:01:00:01:04'],
    ['fd00:1:2:1:102::5', '02:00:01:00:02:07'],
  ])('%s the MAC %s', (address, mac) => {
    expect(macOf(Ip.parse(address))).toBe(mac)
  })
})

test('macOf() gives every address a locally administered unicast address', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      expect(macOf(address)).toMatch(/^02(:[0-9a-f]{2}){5}$/)
    }),
  )
})

test('macOf() gives two IPv4 addresses two MACs', () => {
  fc.assert(
    fc.property(addressOf(4), addressOf(4), (a, b) => {
      expect(macOf(a) === macOf(b)).toBe(a.equals(b))
    }),
  )
})

test('macOf() gives the endpoints of an IPv6 cell different MACs up to number 2^40', () => {
  const plan = parsePlan('fd00:1:2::/48 16/8/8/48')
  const endpoint = fc.bigInt({ min: 2n, max: (1n << 40n) - 1n })
  fc.assert(
    fc.property(numbersOf(plan), endpoint, endpoint, (numbers, a, b) => {
      const [macA, macB] = [a, b].map((number) =>
        macOf(encodeAddress(plan, { ...numbers, endpoint: number })),
      )
      expect(macA === macB).toBe(a === b)
    }),
  )
})
