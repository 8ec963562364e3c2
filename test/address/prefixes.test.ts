import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { type AddressNumbers, encodeAddress } from '../../address/codec.ts'
import { Ip } from '../../address/ip.ts'
import {
  cell,
  cellAround,
  cellOnHost,
  endpointRange,
  firstHost,
  gatewayOf,
  hostPrefix,
  sameSegment,
  segmentMask,
} from '../../address/prefixes.ts'
import { addressOf, planWithNumbers, planWithPair } from './arbitraries.ts'

const DEFAULT = '10.0.0.0/8 8/4/4/8'
const NO_HOSTS = '192.168.0.0/16 0/2/2/12'
const SHARED = '100.64.0.0/10 6/4/4/8'
const IPV6 = 'fd00:1:2::/48 16/8/8/48'

describe('worked examples', () => {
  test.each([
    [DEFAULT, 1n, '10.1.0.0/16', '10.1.17.0/24', '10.1.17.1', '10.1.17.2-10.1.17.254'],
    [DEFAULT, 255n, '10.255.0.0/16', '10.255.17.0/24', '10.255.17.1', '10.255.17.2-10.255.17.254'],
    [NO_HOSTS, 0n, '192.168.0.0/16', '192.168.80.0/20', '192.168.80.1', '192.168.80.2-192.168.95.254'],
    [SHARED, 63n, '100.127.0.0/16', '100.127.17.0/24', '100.127.17.1', '100.127.17.2-100.127.17.254'],
    [
      IPV6,
      1n,
      'fd00:1:2:1::/64',
      'fd00:1:2:1:101::/80',
      'fd00:1:2:1:101::1',
      'fd00:1:2:1:101::2-fd00:1:2:1:101:ffff:ffff:fffe',
    ],
  ])(
    'of %s: host %s has %s, its segment 1 of tenant 1 has %s',
    (planText, host, prefix, cidr, gateway, range) => {
      const plan = parsePlan(planText)
      const segment = cell(plan, host, { tenant: 1n, segment: 1n })
      const { first, last } = endpointRange(segment)
      expect(hostPrefix(plan, host).toString()).toBe(prefix)
      expect(segment.toString()).toBe(cidr)
      expect(gatewayOf(segment).toString()).toBe(gateway)
      expect(`${first}-${last}`).toBe(range)
    },
  )

  test.each([
    [DEFAULT, 'ff00ff00'],
    [NO_HOSTS, 'fffff000'],
    [SHARED, 'ffc0ff00'],
    [IPV6, 'ffffffffffff0000ffff000000000000'],
  ])('of %s: the segment mask is %s', (planText, mask) => {
    expect(segmentMask(parsePlan(planText)).toString(16)).toBe(mask)
  })

  test('the first host has number 1, or 0 when the plan has no host bits', () => {
    expect([firstHost(parsePlan(DEFAULT)), firstHost(parsePlan(NO_HOSTS))]).toEqual([1n, 0n])
  })

  test('a cell of four addresses has one endpoint', () => {
    const { first, last } = endpointRange(
      cell(parsePlan('10.0.0.0/8 8/8/6/2'), 1n, { tenant: 1n, segment: 1n }),
    )
    expect(`${first} ${last}`).toBe('10.1.1.6 10.1.1.6')
  })
})

describe('numbers that do not fit are refused', () => {
  test('by hostPrefix()', () => {
    expect(() => hostPrefix(parsePlan(DEFAULT), 256n)).toThrow('Cannot use host number 256')
    expect(() => hostPrefix(parsePlan(DEFAULT), 0n)).toThrow('E_NUMBER')
    expect(() => hostPrefix(parsePlan(NO_HOSTS), 1n)).toThrow('E_NUMBER')
  })

  test('by cell()', () => {
    expect(() => cell(parsePlan(DEFAULT), 1n, { tenant: 16n, segment: 1n })).toThrow(
      'Cannot use tenant number 16',
    )
    expect(() => cell(parsePlan(DEFAULT), 1n, { tenant: 1n, segment: 16n })).toThrow(
      'Cannot use segment number 16',
    )
  })
})

test('every address of a cell lies in its cell, in the prefix of its host and in the plan', () => {
  fc.assert(
    fc.property(planWithNumbers, ({ plan, numbers }) => {
      const address = encodeAddress(plan, numbers)
      const segment = cell(plan, numbers.host, numbers)
      const host = hostPrefix(plan, numbers.host)
      expect(cellAround(plan, address).toString()).toBe(segment.toString())
      expect([segment, host, plan.cidr].map((cidr) => cidr.contains(address))).toEqual([true, true, true])
      expect([host.contains(segment.network), host.contains(segment.last)]).toEqual([true, true])
      expect([plan.cidr.contains(host.network), plan.cidr.contains(host.last)]).toEqual([true, true])
    }),
  )
})

test('cells overlap only when host, tenant and segment are the same', () => {
  fc.assert(
    fc.property(planWithPair, ({ plan, a, b }) => {
      const same = a.host === b.host && isSameSegment(a, b)
      expect(cell(plan, a.host, a).overlaps(cell(plan, b.host, b))).toBe(same)
    }),
    { numRuns: 1000 },
  )
})

test('prefixes of two hosts are disjoint', () => {
  fc.assert(
    fc.property(planWithPair, ({ plan, a, b }) => {
      expect(hostPrefix(plan, a.host).overlaps(hostPrefix(plan, b.host))).toBe(a.host === b.host)
    }),
  )
})

test('cellOnHost() is the cell of the same tenant and segment there', () => {
  fc.assert(
    fc.property(planWithPair, ({ plan, a, b }) => {
      expect(cellOnHost(plan, cell(plan, a.host, a), b.host)).toEqual(cell(plan, b.host, a))
    }),
  )
})

test('sameSegment() is true exactly when tenant and segment are the same, on whatever host', () => {
  fc.assert(
    fc.property(planWithPair, ({ plan, a, b }) => {
      expect(sameSegment(plan, encodeAddress(plan, a), encodeAddress(plan, b))).toBe(isSameSegment(a, b))
    }),
    { numRuns: 1000 },
  )
})

test('sameSegment() is false for an address outside the plan, also when its other bits agree', () => {
  const plan = parsePlan(DEFAULT)
  expect(sameSegment(plan, Ip.parse('10.1.17.5'), Ip.parse('11.1.17.5'))).toBe(false)
  expect(sameSegment(plan, Ip.parse('11.1.17.5'), Ip.parse('11.2.17.6'))).toBe(false)
  fc.assert(
    fc.property(planWithNumbers, addressOf(4), ({ plan: anyPlan, numbers }, other) => {
      fc.pre(!anyPlan.cidr.contains(other))
      expect(sameSegment(anyPlan, encodeAddress(anyPlan, numbers), other)).toBe(false)
    }),
  )
})

test('the endpoint range is the cell without network, gateway and last address', () => {
  fc.assert(
    fc.property(planWithNumbers, ({ plan, numbers }) => {
      const segment = cell(plan, numbers.host, numbers)
      const { first, last } = endpointRange(segment)
      const special = [segment.network, gatewayOf(segment), segment.last]
      expect(special.filter(({ value }) => value >= first.value && value <= last.value)).toEqual([])
      expect(last.value - first.value + 1n).toBe(segment.size - 3n)
    }),
  )
})

function isSameSegment(a: AddressNumbers, b: AddressNumbers): boolean {
  return a.tenant === b.tenant && a.segment === b.segment
}
