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
  const numbers = NAMED.segments.find((record) => record.tenant === tenant && record.name === segment)
  const third = (numbers?.tenantNumber ?? 0) * 16 + (numbers?.number ?? 0)
  const address = `10.${host}.${third}.${last}`
  return {
    name: `${tenant}-${segment}${last}`,
    kind: 'endpoint',
    address,
    tenant,
    segment,
    isInternal: segment === 'vault',
  }
}

export const HOST: Place = { name: 'host', kind: 'host', address: '192.0.2.1' }
export const OUTSIDE: Place = { name: 'outside', kind: 'outside', address: '192.0.2.254' }

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
)

function peerOf(direction: string): fc.Arbitrary<OraclePeer> {
  const whole = fc.constantFrom<OraclePeer>(
    { peer: 'any' },
    ...(direction === 'egress' ? [{ peer: 'host' }] : []),
  )
  return fc.oneof(whole, cidr, party)
}

/** Ports of the probes are among these. */
export const PORTS = [53, 7000] as const

const rule = fc.constantFrom<OracleRule>(
  { protocol: 'any' },
  { protocol: 'tcp' },
  { protocol: 'udp' },
  { protocol: 'icmp' },
  { protocol: 'tcp', ports: [7000] },
  { protocol: 'udp', ports: [53] },
  { protocol: 'tcp', ports: [1, 2, 3, 4, '5-60', 7, 8, 9, 10, 11, 12, 13, 14, '80-90', 7000, '9000-9999'] },
  { protocol: 'udp', ports: ['6000-7999'] },
  { protocol: 'icmp', types: [8] },
  { protocol: 'icmp', types: [0, 3] },
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
