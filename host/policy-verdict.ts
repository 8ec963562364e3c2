/** What policies say of one flow: the words of `policy-rules.ts`, read again for flows that the kernel keeps in mind. Pure. */
import type { AddressPlan } from '../address/address-plan.ts'
import { decodeAddress } from '../address/codec.ts'
import type { Ip } from '../address/ip.ts'
import type { Flow } from './parse-conntrack.ts'
import type { Party, Peer, Policy, Rule } from './policy.ts'

/** "unsaid": no policy allows it, and none denies what is not allowed. */
export type PolicyVerdict = 'allowed' | 'denied' | 'unsaid'

export interface PolicyJudges {
  /** That of the flow's family. */
  readonly plan: AddressPlan
  readonly policies: readonly Policy[]
}

/** Of what an endpoint sends elsewhere than to its host. */
export function judgeEgress(judges: PolicyJudges, flow: Flow): PolicyVerdict {
  return verdictOf(policiesFor(judges, 'egress', flow.source), (policy) =>
    allows(judges, policy, flow, flow.server),
  )
}

/** Of what comes to an endpoint. */
export function judgeIngress(judges: PolicyJudges, flow: Flow): PolicyVerdict {
  return verdictOf(policiesFor(judges, 'ingress', flow.server), (policy) =>
    allows(judges, policy, flow, flow.source),
  )
}

/** Of what an endpoint sends to its host: allowed only by a policy that names the host. */
export function judgeToHost(judges: PolicyJudges, flow: Flow): PolicyVerdict {
  const own = policiesFor(judges, 'egress', flow.source)
  const byName = verdictOf(
    own,
    ({ peers, rules }) =>
      peers.some(({ kind }) => kind === 'host') && rules.some((rule) => isRule(rule, flow)),
  )
  return byName === 'denied' && judgeEgress(judges, flow) === 'allowed' ? 'unsaid' : byName
}

function policiesFor({ plan, policies }: PolicyJudges, direction: Policy['direction'], own: Ip): Policy[] {
  return policies.filter(
    (policy) => policy.direction === direction && policy.appliesTo.some((party) => isOf(plan, party, own)),
  )
}

function verdictOf(own: readonly Policy[], isAllowedBy: (policy: Policy) => boolean): PolicyVerdict {
  if (own.some(isAllowedBy)) return 'allowed'
  return own.some(({ isDefaultDeny }) => isDefaultDeny) ? 'denied' : 'unsaid'
}

function allows({ plan }: PolicyJudges, { peers, rules }: Policy, flow: Flow, other: Ip): boolean {
  return peers.some((peer) => isPeer(plan, peer, other)) && rules.some((rule) => isRule(rule, flow))
}

function isOf(plan: AddressPlan, { tenant, segment }: Party, address: Ip): boolean {
  const numbers = decodeAddress(plan, address)
  return numbers?.tenant === tenant && (segment === undefined || numbers.segment === segment)
}

function isPeer(plan: AddressPlan, peer: Peer, address: Ip): boolean {
  switch (peer.kind) {
    case 'any':
      return true
    case 'host':
      return false
    case 'party':
      return isOf(plan, peer.party, address)
    case 'cidr':
      return peer.cidr.contains(address) && !peer.except.some((part) => part.contains(address))
  }
}

/** As `conntrack` calls them. */
const CONNTRACK_NAMES = { tcp: 'tcp', udp: 'udp', icmp: 'icmp', icmp6: 'icmpv6' } as const

function isRule(rule: Rule, { protocol, serverPort, icmpType }: Flow): boolean {
  if (rule.protocol === 'any') return true
  if (CONNTRACK_NAMES[rule.protocol] !== protocol) return false
  if ('types' in rule) return rule.types.length === 0 || rule.types.some((type) => type === icmpType)
  const port = serverPort ?? -1
  return rule.ports.length === 0 || rule.ports.some(({ first, last }) => first <= port && port <= last)
}
