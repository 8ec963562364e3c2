/** A small cluster in words, and random policies of it. */
import fc from 'fast-check'
import * as v from 'valibot'
import { parsePolicies } from '../../cluster/policy-document.ts'
import { numberPolicies } from '../../cluster/policy-numbers.ts'
import type { PolicyRecord } from '../../store/policy-records.ts'
import { SegmentRecord, TenantRecord } from '../../store/records.ts'
import type { OraclePeer, OraclePolicy, OracleRule, Packet, Place } from './policy-oracle.ts'

/** Tenant "red" has number 1 and "blue" 2; segment "web" 1, "db" 2 and, internal, "vault" 3. */
export const TENANTS = ['red', 'blue'] as const
export const SEGMENTS = ['web', 'db', 'vault'] as const

export const NAMED = {
  tenants: TENANTS.map((name, index) => v.parse(TenantRecord, { name, number: index + 1 })),
  segments: TENANTS.flatMap((tenant, tenantIndex) =>
    SEGMENTS.map((name, index) =>
      v.parse(SegmentRecord, { tenant, tenantNumber: tenantIndex + 1, name, number: index + 1 }),
    ),
  ),
}

/** Of host 1, and of host 2 too where `host` says so. */
export function endpoint(tenant: string, segment: string, last: number, host = 1): Place {
  const [tenantNumber, number] = numbersOf(tenant, segment)
  const address = `10.${host}.${tenantNumber * 16 + number}.${last}`
  return {
    name: `${tenant}-${segment}${last}`,
    kind: 'endpoint',
    address,
    tenant,
    segment,
    isInternal: segment === 'vault',
  }
}

function numbersOf(tenant: string, segment: string): readonly [tenant: number, segment: number] {
  const record = NAMED.segments.find((each) => each.tenant === tenant && each.name === segment)
  return [record?.tenantNumber ?? 0, record?.number ?? 0]
}

/** The same by its IPv6 address. */
export function endpoint6(tenant: string, segment: string, last: number): Place {
  const address = `fd3a:1c55:9e02:1:${numbersOf(tenant, segment).join(':')}:0:${last}`
  return { ...endpoint(tenant, segment, last), address }
}

export const HOST: Place = { name: 'host', kind: 'host', address: '192.0.2.1' }
export const OUTSIDE: Place = { name: 'outside', kind: 'outside', address: '192.0.2.254' }

export const HOST6: Place = { ...HOST, address: '2001:db8::1' }
export const OUTSIDE6: Place = { ...OUTSIDE, address: '2001:db8::254' }

export const PLACES: readonly Place[] = [
  ...TENANTS.flatMap((tenant) =>
    SEGMENTS.flatMap((segment) => [2, 3].map((last) => endpoint(tenant, segment, last))),
  ),
  HOST,
  OUTSIDE,
]

/** What a document of these policies comes to. @throws RomanaError E_POLICY */
export function recordsOf(policies: readonly OraclePolicy[]): PolicyRecord[] {
  return policies.length === 0 ? [] : numberPolicies(parsePolicies({ policies }), NAMED)
}

const party = fc.record(
  { tenant: fc.constantFrom(...TENANTS), segment: fc.constantFrom(...SEGMENTS) },
  { requiredKeys: ['tenant'] },
)

const cidr = fc.constantFrom<OraclePeer>(
  { cidr: '0.0.0.0/0' },
  { cidr: '192.0.2.0/24' },
  { cidr: '192.0.2.0/24', except: ['192.0.2.254/32'] },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '192.0.2.128/25'] },
  { cidr: '10.1.0.0/16', except: ['10.1.17.2/32', '10.1.32.0/20'] },
  { cidr: '10.1.18.3/32' },
  { cidr: '192.0.2.1/32' },
  { cidr: '::/0' },
  { cidr: '::/0', except: ['fd3a:1c55:9e02::/48'] },
  { cidr: '2001:db8::/64', except: ['2001:db8::80/121'] },
  { cidr: 'fd3a:1c55:9e02:1::/64', except: ['fd3a:1c55:9e02:1:1:1:0:2/128', 'fd3a:1c55:9e02:1:2::/80'] },
  { cidr: 'fd3a:1c55:9e02:1:1:2:0:2/128' },
)

function peerOf(direction: string): fc.Arbitrary<OraclePeer> {
  const whole = fc.constantFrom<OraclePeer>(
    { peer: 'any' },
    ...(direction === 'egress' ? [{ peer: 'host' }] : []),
  )
  return fc.oneof(whole, cidr, party)
}

/** Ports of the probes are among these. */
export const PORTS = [53, 7400] as const

const rule = fc.constantFrom<OracleRule>(
  { protocol: 'any' },
  { protocol: 'tcp' },
  { protocol: 'udp' },
  { protocol: 'icmp' },
  { protocol: 'tcp', ports: [7400] },
  { protocol: 'udp', ports: [53] },
  { protocol: 'tcp', ports: [1, 2, 3, 4, '5-60', 7, 8, 9, 10, 11, 12, 13, 14, '80-90', 7400, '9000-9999'] },
  { protocol: 'udp', ports: ['6000-7999'] },
  { protocol: 'icmp', types: [8] },
  { protocol: 'icmp', types: [0, 3] },
  { protocol: 'icmp6' },
  { protocol: 'icmp6', types: [128] },
  { protocol: 'icmp6', types: [1, 129] },
)

const half = fc.constantFrom('ingress', 'egress').chain((direction) =>
  fc.record({
    direction: fc.constant(direction),
    appliesTo: fc.array(party, { minLength: 1, maxLength: 3 }),
    isDeny: fc.boolean(),
    peers: fc.array(peerOf(direction), { maxLength: 3 }),
    rules: fc.array(rule, { maxLength: 3 }),
  }),
)

/** Up to six policies that can be used. */
export const policySets: fc.Arbitrary<OraclePolicy[]> = fc.array(half, { maxLength: 6 }).map((halves) =>
  halves.map(({ direction, appliesTo, isDeny, peers, rules }, index) => {
    const mustDeny =
      peers.length === 0 || (direction === 'egress' && peers.some(({ peer }) => peer !== 'host'))
    return {
      name: `p${index}`,
      direction,
      appliesTo,
      ...(isDeny || mustDeny ? { default: 'deny' } : {}),
      ...(peers.length === 0 ? {} : { peers, rules }),
    }
  }),
)

export const PACKETS: readonly Packet[] = [
  ...PORTS.flatMap((port) => (['tcp', 'udp'] as const).map((protocol) => ({ protocol, port, type: 0 }))),
  { protocol: 'icmp', port: 0, type: 8 },
  { protocol: 'icmp', port: 0, type: 3 },
]
