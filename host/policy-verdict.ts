/** What policies say of one flow: for those that the kernel keeps in mind, and lets pass without asking again. Pure. */
import type { AddressPlan } from '../address/address-plan.ts'
import { decodeAddress } from '../address/codec.ts'
import type { Ip } from '../address/ip.ts'
import { sameSegment } from '../address/prefixes.ts'
import type { Flow } from './parse-conntrack.ts'
import type { Party, Peer, Policy, Rule } from './policy.ts'
import { leadsToStore, type StoreAddress } from './store-rules.ts'

/** What the verdict depends on beside the flow. */
export interface Judges {
  /** That of the flow's family. */
  readonly plan: AddressPlan
  readonly policies: readonly Policy[]
  /** Whether the address is one of this host itself. */
  readonly isHost: (address: Ip) => boolean
  /** Whether endpoints reach what listens on their own host. */
  readonly isHostOpen: boolean
  readonly stores: readonly StoreAddress[]
}

/** Whether a packet that begins the flow would be dropped now because of a policy, or for want of one. */
export function isForbidden(judges: Judges, flow: Flow): boolean {
  const { plan, isHost } = judges
  if (isHost(flow.source)) return false
  if (plan.cidr.contains(flow.source) && !maySend(judges, flow)) return true
  if (isHost(flow.server)) return plan.cidr.contains(flow.source) && !mayReachHost(judges, flow)
  return plan.cidr.contains(flow.server) && !mayReceive(judges, flow)
}

function maySend({ plan, policies, isHost, stores }: Judges, flow: Flow): boolean {
  if (leadsToStore(stores, flow, isHost(flow.server))) return false
  const own = policies.filter(
    (policy) => policy.direction === 'egress' && appliesTo(plan, policy, flow.source),
  )
  return (
    own.every(({ isDefaultDeny }) => !isDefaultDeny) ||
    own.some(
      ({ peers, rules }) =>
        peers.some((peer) =>
          peer.kind === 'host' ? isHost(flow.server) : isPeer(plan, peer, flow.server),
        ) && rules.some((rule) => isRule(rule, flow)),
    )
  )
}

/** By the setting, by the rules of every host, or by a policy that names the host. */
function mayReachHost({ plan, policies, isHostOpen }: Judges, flow: Flow): boolean {
  const isUsual =
    (flow.protocol === 'icmp' && flow.icmpType === 8) ||
    (flow.protocol === 'icmpv6' && flow.icmpType === 128) ||
    (['tcp', 'udp'].includes(flow.protocol) && flow.serverPort === 53)
  return (
    isHostOpen ||
    isUsual ||
    policies.some(
      (policy) =>
        policy.direction === 'egress' &&
        appliesTo(plan, policy, flow.source) &&
        policy.peers.some(({ kind }) => kind === 'host') &&
        policy.rules.some((rule) => isRule(rule, flow)),
    )
  )
}

function mayReceive({ plan, policies }: Judges, flow: Flow): boolean {
  const own = policies.filter(
    (policy) => policy.direction === 'ingress' && appliesTo(plan, policy, flow.server),
  )
  const isAllowed = own.some(
    ({ peers, rules }) =>
      peers.some((peer) => isPeer(plan, peer, flow.source)) && rules.some((rule) => isRule(rule, flow)),
  )
  if (isAllowed) return true
  if (own.some(({ isDefaultDeny }) => isDefaultDeny)) return false
  const isPublished = !flow.server.equals(flow.destination)
  return isPublished || sameSegment(plan, flow.source, flow.server)
}

function appliesTo(plan: AddressPlan, policy: Policy, address: Ip): boolean {
  return policy.appliesTo.some((party) => isOf(plan, party, address))
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
