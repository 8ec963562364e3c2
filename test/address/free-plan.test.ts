import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AddressPlan,
  FIELDS,
  type Field,
  formatPlan,
  makePlan,
  parsePlan,
} from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { freePlan, overlaps } from '../../address/free-plan.ts'
import { ADDRESS_BITS, Ip } from '../../address/ip.ts'
import { anyCidr, anyPlan, planOf } from './arbitraries.ts'

const DEFAULT = '10.0.0.0/8 8/4/4/8'
const IPV6 = 'fd00:1:2::/48 16/8/8/48'

test('overlaps() names what shares an address with the plan, and leaves out default routes', () => {
  const occupied = cidrs(
    '0.0.0.0/0 10.4.0.0/16 172.17.0.0/16 0.0.0.0/4 10.0.0.53/32 11.0.0.0/8 ::/0 fd00::/64',
  )
  expect(overlaps(parsePlan(DEFAULT), occupied).join(' ')).toBe('10.4.0.0/16 0.0.0.0/4 10.0.0.53/32')
})

const PRIVATE_RANGES = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']

/** A plan inside or around 10.0.0.0/8. */
const privatePlan: fc.Arbitrary<AddressPlan> = planOf(4).map(({ cidr, widths }) => {
  const inside = Ip.of(4, (10n << 24n) | (cidr.network.value & 0xffffffn))
  return makePlan(Cidr.around(inside, cidr.prefixLength), widths)
})

const occupiedCidr: fc.Arbitrary<Cidr> = fc.oneof(
  anyCidr,
  fc
    .tuple(fc.constantFrom(...PRIVATE_RANGES, 'fd00::/8'), fc.integer({ min: 8, max: 32 }))
    .chain(([range, length]) => blockIn(range, length)),
)

describe('freePlan() of', () => {
  test.each([
    // The wanted plan stays.
    [DEFAULT, '', DEFAULT],
    [DEFAULT, '0.0.0.0/0 172.17.0.0/16 192.168.1.0/24', DEFAULT],
    ['203.0.112.0/20 2/2/2/6', '0.0.0.0/0', '203.0.112.0/20 2/2/2/6'],
    [IPV6, '::/0 fe80::/64 fd00:1:3::/48', IPV6],
    // The largest free block: first a half of 10.0.0.0/8, then what is left elsewhere.
    [DEFAULT, '10.4.0.0/16', '10.128.0.0/9 7/4/4/8'],
    [DEFAULT, '10.200.0.0/16', '10.0.0.0/9 7/4/4/8'],
    [DEFAULT, '10.4.0.0/16 10.200.0.0/16', '10.64.0.0/10 6/4/4/8'],
    [DEFAULT, '10.0.0.0/8', '100.64.0.0/10 6/4/4/8'],
    [DEFAULT, '10.0.0.0/8 100.64.0.0/10 172.17.0.0/16', '172.24.0.0/13 3/4/4/8'],
    // The widths shrink: host to 2 bits, then segment, then tenant, then endpoint.
    [DEFAULT, '10.0.0.0/8 100.64.0.0/10 172.16.0.0/12', '192.168.0.0/16 2/4/2/8'],
    [DEFAULT, '10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/17', '192.168.128.0/17 2/3/2/8'],
    [
      DEFAULT,
      '10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/18 192.168.128.0/17',
      '192.168.64.0/18 2/2/2/8',
    ],
    [
      DEFAULT,
      `10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 ${allBut('192.168.0.0/16', '192.168.40.0/22')}`,
      '192.168.40.0/22 2/2/2/4',
    ],
    // A block as large as wanted, the nearest behind the wanted one, going round at the end of the range.
    ['10.20.0.0/16 4/2/2/8', '10.20.3.0/24', '10.21.0.0/16 4/2/2/8'],
    ['10.255.0.0/16 4/2/2/8', '10.255.3.0/24', '10.0.0.0/16 4/2/2/8'],
    ['203.0.112.0/20 2/2/2/6', '203.0.113.0/24', '10.0.0.0/20 2/2/2/6'],
    [IPV6, 'fd00:1:2:3::/64', 'fd00:1:3::/48 16/8/8/48'],
    [IPV6, 'fd00::/9', 'fd80::/48 16/8/8/48'],
    ['fdff:ffff:ffff::/48 16/8/8/48', 'fdff::/16', 'fd00::/48 16/8/8/48'],
    // A field that had no bits gets none.
    ['192.168.0.0/16 0/2/2/12', '192.168.0.0/16', '10.0.0.0/16 0/2/2/12'],
    ['10.0.0.0/8 0/0/0/24', '10.1.0.0/16', '10.128.0.0/9 0/0/0/23'],
  ])('%s beside "%s" is %s', (wanted, occupied, expected) => {
    expect(show(freePlan(parsePlan(wanted), cidrs(occupied)))).toBe(expected)
  })

  test('a plan for which no usable block is free is undefined', () => {
    const occupied = cidrs(
      `10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 ${allBut('192.168.0.0/16', '192.168.40.0/23')}`,
    )
    expect(freePlan(parsePlan(DEFAULT), occupied)).toBeUndefined()
    expect(freePlan(parsePlan(IPV6), cidrs('fc00::/7'))).toBeUndefined()
  })
})

test('freePlan() overlaps nothing that is occupied, fills the address and keeps the least widths', () => {
  const cases = fc.tuple(fc.oneof(privatePlan, anyPlan), fc.array(occupiedCidr, { maxLength: 20 }))
  fc.assert(
    fc.property(cases, ([wanted, occupied]) => {
      const found = freePlan(wanted, occupied)
      fc.pre(found !== undefined)
      expect(found.cidr.family).toBe(wanted.cidr.family)
      expect(overlaps(found, occupied).join(' ')).toBe('')
      expect(found.cidr.prefixLength + sumOfWidths(found)).toBe(ADDRESS_BITS[found.cidr.family])
      expect(FIELDS.filter((field) => found.widths[field] < leastWidth(wanted, field))).toEqual([])
      expect(FIELDS.filter((field) => found.widths[field] > wanted.widths[field])).toEqual([])
    }),
    { numRuns: 1000 },
  )
})

test('freePlan() finds a plan whenever a /20 of the private ranges is free', () => {
  const cases = fc
    .tuple(privatePlan, fc.constantFrom(...PRIVATE_RANGES))
    .chain(([wanted, range]) =>
      fc.record({ wanted: fc.constant(wanted), range: fc.constant(range), block: blockIn(range, 20) }),
    )
  fc.assert(
    fc.property(cases, ({ wanted, range, block }) => {
      const others = PRIVATE_RANGES.filter((other) => other !== range).join(' ')
      const found = freePlan(wanted, cidrs(`0.0.0.0/0 ${others} ${allBut(range, block.toString())}`))
      expect(found === undefined ? 'none' : block.contains(found.cidr.network)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

function cidrs(text: string): Cidr[] {
  return text.split(' ').filter(Boolean).map(Cidr.parse)
}

function show(plan: AddressPlan | undefined): string {
  return plan === undefined ? 'none' : formatPlan(plan)
}

/** The networks that cover `range` except `hole`: at each length the other half. */
function allBut(range: string, hole: string): string {
  const { network, prefixLength } = Cidr.parse(hole)
  const lengths = Array.from({ length: prefixLength }, (_, index) => index + 1)
  return lengths
    .filter((length) => length > Cidr.parse(range).prefixLength)
    .map((length) => Cidr.around(Ip.of(4, network.value ^ (1n << BigInt(32 - length))), length))
    .join(' ')
}

function sumOfWidths({ widths }: AddressPlan): number {
  return FIELDS.reduce((sum, field) => sum + widths[field], 0)
}

function leastWidth(wanted: AddressPlan, field: Field): number {
  return Math.min(wanted.widths[field], field === 'endpoint' ? 4 : 2)
}

function blockIn(range: string, length: number): fc.Arbitrary<Cidr> {
  const { family, network, size } = Cidr.parse(range)
  return fc
    .bigInt({ min: 0n, max: size - 1n })
    .map((offset) => Cidr.around(Ip.of(family, network.value + offset), length))
}
