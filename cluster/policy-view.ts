/** Policies as people see them: the document that makes the same policy again. Pure. */
import type { PolicyParty, PolicyPeer, PolicyRecord, PolicyRule } from '../store/policy-records.ts'

/** One entry of `policies` of a document. */
export interface PolicyView {
  readonly name: string
  readonly description?: string
  readonly direction: 'ingress' | 'egress'
  readonly appliesTo: readonly object[]
  readonly default?: 'deny'
  readonly peers?: readonly object[]
  readonly rules?: readonly object[]
}

export function policyView(record: PolicyRecord): PolicyView {
  const { name, description, direction, isDefaultDeny, appliesTo, peers, rules } = record
  return {
    name,
    ...(description === undefined ? {} : { description }),
    direction,
    appliesTo: appliesTo.map(partyView),
    ...(isDefaultDeny ? { default: 'deny' as const } : {}),
    ...(peers.length === 0 ? {} : { peers: peers.map(peerView), rules: rules.map(ruleView) }),
  }
}

function partyView({ tenant, segment }: PolicyParty): object {
  return { tenant: tenant.name, ...(segment === undefined ? {} : { segment: segment.name }) }
}

function peerView(peer: PolicyPeer): object {
  if (peer.kind === 'party') return partyView(peer)
  if (peer.kind !== 'cidr') return { peer: peer.kind }
  const { cidr, except } = peer
  return { cidr: String(cidr), ...(except.length === 0 ? {} : { except: except.map(String) }) }
}

function ruleView(rule: PolicyRule): object {
  if (rule.protocol === 'any') return rule
  const { protocol } = rule
  if ('types' in rule) return { protocol, ...(rule.types.length === 0 ? {} : { types: rule.types }) }
  const ports = rule.ports.map(({ first, last }) => (first === last ? first : `${first}-${last}`))
  return { protocol, ...(ports.length === 0 ? {} : { ports }) }
}
