/** What a host carries in rules: the same for every number of segments and endpoints, and a straight line over policies. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { encodeAddress } from '../../address/codec.ts'
import { cell } from '../../address/prefixes.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { PolicyRecord } from '../../store/policy-records.ts'
import type { EndpointRecord, NetworkRecord } from '../../store/records.ts'
import { EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'

/** Room for 16,000 segments. */
const PLANS = {
  ipv4: parsePlan('10.0.0.0/8 2/4/10/8'),
  ipv6: parsePlan('fd3a:1c55:9e02::/48 16/16/16/32'),
}
const BOTH = [PLANS.ipv4, PLANS.ipv6]
const SEGMENTS_OF_TENANT = 1_000
const DIRECTIONS = ['ingress', 'egress'] as const

test('the rules of a host are a + b x policies, whatever the number of segments and endpoints', () => {
  const lines = [1, 100, 10_000].flatMap((segments) => {
    const networks = Array.from({ length: segments }, (_, index) => networkAt(index))
    return [1, 250].flatMap((endpoints) => linesOf(networks, endpoints))
  })
  expect(
    [HEADINGS.join('  '), ...lines].join('\n'),
  ).toBe(`segments  endpoints  policies  ingress: IPv4  IPv6  egress: IPv4  IPv6
       1          1         0             38    40            38    40
       1          1         1             50    52            50    52
       1          1        10             95    97           113   115
       1          1       100            545   547           743   745
       1        250         0             38    40            38    40
       1        250         1             50    52            50    52
       1        250        10             95    97           113   115
       1        250       100            545   547           743   745
     100          1         0             38    40            38    40
     100          1         1             50    52            50    52
     100          1        10             95    97           113   115
     100          1       100            545   547           743   745
     100        250         0             38    40            38    40
     100        250         1             50    52            50    52
     100        250        10             95    97           113   115
     100        250       100            545   547           743   745
   10000          1         0             38    40            38    40
   10000          1         1             50    52            50    52
   10000          1        10             95    97           113   115
   10000          1       100            545   547           743   745
   10000        250         0             38    40            38    40
   10000        250         1             50    52            50    52
   10000        250        10             95    97           113   115
   10000        250       100            545   547           743   745`)
})

const HEADINGS = ['segments', 'endpoints', 'policies', 'ingress: IPv4', 'IPv6', 'egress: IPv4', 'IPv6']

function linesOf(networks: readonly NetworkRecord[], count: number): string[] {
  const endpoints = Array.from({ length: count }, (_, index) => endpointAt(networks, index))
  return [0, 1, 10, 100].map((policies) => {
    const counts = DIRECTIONS.flatMap((direction) => {
      const own = Array.from({ length: policies }, (_, index) => policyAt(direction, index))
      const { firewall } = desiredState({ ...EMPTY_HOST, plans: PLANS, networks, endpoints, policies: own })
      return [4, 6].map((family) => countRules(firewall.filter((table) => table.family === family)))
    })
    return [networks.length, count, policies, ...counts]
      .map((number, index) => String(number).padStart(HEADINGS[index]?.length ?? 0))
      .join('  ')
  })
}

/** Of all tables, with the jumps to ours. */
function countRules(tables: ReturnType<typeof desiredState>['firewall']): number {
  return tables.flatMap(({ chains, jumps }) => [...jumps, ...chains.flatMap(({ rules }) => rules)]).length
}

function numbersAt(index: number): { readonly tenant: bigint; readonly segment: bigint } {
  return {
    tenant: BigInt(1 + Math.floor(index / SEGMENTS_OF_TENANT)),
    segment: BigInt(1 + (index % SEGMENTS_OF_TENANT)),
  }
}

function networkAt(index: number): NetworkRecord {
  return networkOf(`n${index}`, BOTH.map((plan) => String(cell(plan, 1n, numbersAt(index)))).join(' '))
}

/** Spread over the networks. */
function endpointAt(networks: readonly NetworkRecord[], index: number): EndpointRecord {
  const place = index % networks.length
  const numbers = { host: 1n, ...numbersAt(place), endpoint: BigInt(2 + index) }
  const addresses = BOTH.map((plan) => String(encodeAddress(plan, numbers))).join(' ')
  return endpointOf(networks[place] ?? networkAt(place), addresses, index + 1)
}

/** Each of a segment of its own, with one peer and one rule. */
function policyAt(direction: (typeof DIRECTIONS)[number], index: number): PolicyRecord {
  const party = (number: number) => ({
    tenant: { name: 'blue', number: 1 },
    segment: { name: `s${number}`, number },
  })
  return v.parse(PolicyRecord, {
    name: `p${index}`,
    direction,
    isDefaultDeny: true,
    appliesTo: [party(index + 1)],
    peers: [{ kind: 'party', ...party(index + 2) }],
    rules: [{ protocol: 'tcp', ports: [{ first: 5432, last: 5432 }] }],
  })
}
