import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { encodeAddress } from '../../address/codec.ts'
import { cellAround, sameSegment } from '../../address/prefixes.ts'
import { segmentRules } from '../../host/segment-rules.ts'
import { planWithPair } from '../address/arbitraries.ts'
import { readChains, walk } from '../support/iptables-walk.ts'

function showMasks(plan: string, ...cells: string[]): string {
  const { accept, chains } = segmentRules(
    parsePlan(plan),
    cells.map((cell) => Cidr.parse(cell)),
  )
  return [accept, ...chains.flatMap(({ name, rules }) => rules.map((rule) => `${name}: ${rule}`))].join('\n')
}

describe('by masks', () => {
  test('each segment of the host has a rule, whatever the order and number of its networks', () => {
    const cells = ['10.1.17.0/24', '10.1.33.0/24', '10.1.17.0/24', 'fd3a:1c55:9e02:1:1:1::/96']
    const expected = `-s 10.0.0.0/8 -d 10.0.0.0/8 -j ROMANA-SEGMENTS
ROMANA-SEGMENTS: -s 10.0.17.0/255.0.255.0 -d 10.0.17.0/255.0.255.0 -j ACCEPT
ROMANA-SEGMENTS: -s 10.0.33.0/255.0.255.0 -d 10.0.33.0/255.0.255.0 -j ACCEPT`
    expect(showMasks('10.0.0.0/8 8/4/4/8', ...cells)).toBe(expected)
    expect(showMasks('10.0.0.0/8 8/4/4/8', ...cells.toReversed())).toBe(expected)
  })

  test('those of IPv6 are the same numbers', () => {
    expect(
      showMasks('fd3a:1c55:9e02::/48 16/16/16/32', '10.1.17.0/24', 'fd3a:1c55:9e02:1:2:1::/96'),
    ).toBe(`-s fd3a:1c55:9e02::/48 -d fd3a:1c55:9e02::/48 -j ROMANA-SEGMENTS
ROMANA-SEGMENTS: -s fd3a:1c55:9e02:0:2:1::/ffff:ffff:ffff:0:ffff:ffff:: -d fd3a:1c55:9e02:0:2:1::/ffff:ffff:ffff:0:ffff:ffff:: -j ACCEPT`)
  })

  test('a plan without host bits has masks without holes', () => {
    expect(showMasks('192.168.0.0/16 0/2/2/12', '192.168.80.0/20')).toContain(
      'ROMANA-SEGMENTS: -s 192.168.80.0/20 -d 192.168.80.0/20 -j ACCEPT',
    )
  })

  test('a host without a network of the family accepts nothing', () => {
    expect(showMasks('fd3a:1c55:9e02::/48 16/16/16/32', '10.1.17.0/24')).toBe(
      '-s fd3a:1c55:9e02::/48 -d fd3a:1c55:9e02::/48 -j ROMANA-SEGMENTS',
    )
  })

  test('two addresses are accepted where they are of one segment', () => {
    let accepted = 0
    const pairs = planWithPair.filter(({ plan: { cidr } }) => cidr.family === 4 && cidr.prefixLength > 0)
    fc.assert(
      fc.property(pairs, ({ plan, a, b }) => {
        const [source, destination] = [encodeAddress(plan, a), encodeAddress(plan, b)]
        const { accept, chains } = segmentRules(plan, [cellAround(plan, source)])
        const all = readChains(
          new Map([['FORWARD', [accept]], ...chains.map(({ name, rules }) => [name, rules] as const)]),
        )
        const packet = { in: '', out: '', protocol: 'tcp', port: 1, type: 0 } as const
        const verdict = walk(all, 'FORWARD', {
          ...packet,
          source: `${source}`,
          destination: `${destination}`,
        })
        const expected = sameSegment(plan, source, destination)
        accepted += expected ? 1 : 0
        expect(verdict).toBe(expected ? 'ACCEPT' : 'RETURN')
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(20)
  })
})
