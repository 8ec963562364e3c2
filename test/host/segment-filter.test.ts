import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AddressPlan, parsePlan } from '../../address/address-plan.ts'
import { encodeAddress } from '../../address/codec.ts'
import { type Family, Ip } from '../../address/ip.ts'
import { sameSegment } from '../../address/prefixes.ts'
import { segmentFilter } from '../../host/segment-filter.ts'
import { addressOf, anyPlan, numbersOf, planWithPair } from '../address/arbitraries.ts'
import { runClassicBpf } from './classic-bpf.ts'

/** Where a header has its two addresses (RFC 791, RFC 8200), and how long it is, in bytes. */
const HEADER: Readonly<Record<Family, { source: number; length: number }>> = {
  4: { source: 12, length: 20 },
  6: { source: 8, length: 40 },
}

/** The header of a packet; what is not an address is noise. */
function header(source: Ip, destination: Ip): DataView {
  const { source: offset, length } = HEADER[source.family]
  const bytes = new Uint8Array(length).fill(0xa5)
  bytes.set([...source.toBytes(), ...destination.toBytes()], offset)
  return new DataView(bytes.buffer)
}

/** What the rule `-s PLAN -m bpf` says of a packet. */
function isAccepted(plan: AddressPlan, source: Ip, destination: Ip): boolean {
  const isMatch = runClassicBpf(segmentFilter(plan), header(source, destination)) !== 0
  return plan.cidr.contains(source) && isMatch
}

describe('the segment filter is, in the words of iptables-save, of plan', () => {
  test.each([
    [
      '10.0.0.0/8 8/4/4/8',
      '8,32 0 0 16,84 0 0 4278255360,7 0 0 0,32 0 0 12,84 0 0 4278255360,29 0 1 0,6 0 0 65535,6 0 0 0',
    ],
    [
      '192.168.0.0/16 0/2/2/12',
      '8,32 0 0 16,84 0 0 4294963200,7 0 0 0,32 0 0 12,84 0 0 4294963200,29 0 1 0,6 0 0 65535,6 0 0 0',
    ],
    [
      'fd00:1:2::/48 16/8/8/48',
      '20,32 0 0 24,84 0 0 4294967295,7 0 0 0,32 0 0 8,84 0 0 4294967295,29 0 13 0,' +
        '32 0 0 28,84 0 0 4294901760,7 0 0 0,32 0 0 12,84 0 0 4294901760,29 0 7 0,' +
        '32 0 0 32,84 0 0 4294901760,7 0 0 0,32 0 0 16,84 0 0 4294901760,29 0 1 0,6 0 0 65535,6 0 0 0',
    ],
    ['0.0.0.0/0 16/0/0/16', '2,6 0 0 65535,6 0 0 0'],
  ])('%s', (plan, filter) => {
    expect(segmentFilter(parsePlan(plan))).toBe(filter)
  })
})

describe('the segment filter agrees with sameSegment()', () => {
  test('on two addresses of a plan that share some of their numbers', () => {
    let accepted = 0
    fc.assert(
      fc.property(planWithPair, ({ plan, a, b }) => {
        const [source, destination] = [encodeAddress(plan, a), encodeAddress(plan, b)]
        const expected = sameSegment(plan, source, destination)
        accepted += expected ? 1 : 0
        expect(isAccepted(plan, source, destination)).toBe(expected)
      }),
      { numRuns: 2000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  test('on any two addresses', () => {
    const planWithAddresses = anyPlan.chain((plan) =>
      fc.record({
        plan: fc.constant(plan),
        source: fc.oneof(addressOf(plan.cidr.family), inside(plan)),
        destination: fc.oneof(addressOf(plan.cidr.family), inside(plan)),
      }),
    )
    fc.assert(
      fc.property(planWithAddresses, ({ plan, source, destination }) => {
        expect(isAccepted(plan, source, destination)).toBe(sameSegment(plan, source, destination))
      }),
      { numRuns: 2000 },
    )
  })

  test('on addresses that differ in one bit only, for each bit', () => {
    for (const text of ['10.0.0.0/8 8/4/4/8', 'fd00:1:2::/48 16/8/8/48']) {
      const plan = parsePlan(text)
      const source = encodeAddress(plan, { host: 1n, tenant: 5n, segment: 9n, endpoint: 5n })
      for (let bit = 0n; bit < (plan.cidr.family === 4 ? 32n : 128n); bit++) {
        const destination = Ip.of(plan.cidr.family, source.value ^ (1n << bit))
        expect(isAccepted(plan, source, destination)).toBe(sameSegment(plan, source, destination))
      }
    }
  })
})

function inside(plan: AddressPlan): fc.Arbitrary<Ip> {
  return numbersOf(plan).map((numbers) => encodeAddress(plan, numbers))
}
