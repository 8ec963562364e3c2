/**
 * Policies as chains. A segment or tenant with policies has a chain of its own in each direction, and packets of others do not
 * come there. Where there is no policy there is no rule. Pure.
 */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Family } from '../address/ip.ts'
import { dropErrors } from './forged-errors.ts'
import type { Chain } from './host-state.ts'
import { ANY_ENDPOINT, ANY_INTERNAL, ANY_ROUTED, CHAIN_PREFIX } from './marks.ts'
import type { Policy } from './policy.ts'
import { partyMatch, peerMatches, ruleMatches } from './policy-matches.ts'
import { type PolicyTenant, policyTenants } from './policy-targets.ts'

const PERMITTED = `${CHAIN_PREFIX}PERMITTED`

/** What policies add to the rules of a host. */
export interface PolicyRules {
  /** Before all else in the chain that judges what is forwarded. */
  readonly forward: readonly string[]
  /** Behind the replies in the chain that judges what comes to the host itself. */
  readonly host: readonly string[]
  readonly chains: readonly Chain[]
}

/** One of the three places where policies are judged. */
interface Place {
  /** The last word of the chain that sends each packet to the chain of its segment or tenant. */
  readonly name: string
  /** That of the chains of segments and tenants, before their numbers. */
  readonly branch: string
  readonly jump: string
  /** Which address of a packet is the endpoint's, and which is its peer's. */
  readonly own: '-s' | '-d'
  readonly other: '-s' | '-d'
  readonly policies: readonly Policy[]
  /** Before what policies allow. */
  readonly head: readonly string[]
  /** The rules of a policy. Those of the first kind come first for all policies. */
  readonly allow: readonly ((policy: Policy) => readonly string[])[]
}

/** @param acceptSegment the rule that accepts what stays within a segment. */
export function policyRules(
  plan: AddressPlan,
  policies: readonly Policy[],
  acceptSegment: string,
): PolicyRules {
  const [egress, ingress, toHost] = [
    egressPlace(plan, policies),
    ingressPlace(plan, policies),
    hostPlace(plan, policies),
  ]
  const chainsOf = (place: Place) => (place.policies.length === 0 ? [] : placeChains(plan, place))
  const jumpOf = ({ policies: judged, jump, name }: Place) =>
    judged.length === 0 ? [] : [`${jump} -j ${CHAIN_PREFIX}${name}`]
  return {
    forward: [egress, ingress].flatMap(jumpOf),
    host: jumpOf(toHost),
    chains: [
      ...[egress, ingress, toHost].flatMap(chainsOf),
      ...(ingress.policies.length === 0 ? [] : [permittedChain(plan.cidr.family, acceptSegment)]),
    ],
  }
}

/** What an endpoint sends elsewhere. What is allowed returns: the receiver's side has its say too. */
function egressPlace(plan: AddressPlan, policies: readonly Policy[]): Place {
  return {
    name: 'EGRESS',
    branch: 'OUT',
    jump: `-s ${plan.cidr}`,
    own: '-s',
    other: '-d',
    // Without a default of deny everything may go out already; such a policy speaks of the host only.
    policies: policies.filter(({ direction, isDefaultDeny }) => direction === 'egress' && isDefaultDeny),
    head: ['-m conntrack --ctstate ESTABLISHED -j RETURN'],
    allow: [(policy) => allowLines(plan, policy, '-d', '-j RETURN')],
  }
}

/** What comes to an endpoint from elsewhere. */
function ingressPlace(plan: AddressPlan, policies: readonly Policy[]): Place {
  return {
    name: 'INGRESS',
    branch: 'IN',
    jump: `-d ${plan.cidr}`,
    own: '-d',
    other: '-s',
    policies: policies.filter(({ direction }) => direction === 'ingress'),
    head: [
      '-m conntrack --ctstate ESTABLISHED -j RETURN',
      `! -s ${plan.cidr} -m conntrack --ctstate RELATED -j RETURN`,
    ],
    allow: [(policy) => allowLines(plan, policy, '-s', `-g ${PERMITTED}`)],
  }
}

/**
 * What an endpoint sends to the host it is on. What is not allowed to the host by name has what every endpoint has of it. To
 * internal networks no policy opens it.
 */
function hostPlace(plan: AddressPlan, policies: readonly Policy[]): Place {
  return {
    name: 'TO-HOST',
    branch: 'HOST',
    jump: `-s ${plan.cidr} -i ${ANY_ENDPOINT}`,
    own: '-s',
    other: '-d',
    policies: policies.filter(
      (policy) => policy.direction === 'egress' && (policy.isDefaultDeny || namesHost(policy)),
    ),
    head: [],
    allow: [
      (policy) => (namesHost(policy) ? lines(plan.cidr.family, `-i ${ANY_ROUTED}`, policy, '-j ACCEPT') : []),
      (policy) => allowLines(plan, policy, '-d', '-j RETURN'),
    ],
  }
}

function namesHost({ peers }: Policy): boolean {
  return peers.some(({ kind }) => kind === 'host')
}

function allowLines(plan: AddressPlan, policy: Policy, side: '-s' | '-d', verdict: string): string[] {
  return policy.peers
    .flatMap((peer) => peerMatches(plan, peer))
    .flatMap((match) => lines(plan.cidr.family, match === '' ? '' : `${side} ${match}`, policy, verdict))
}

function lines(family: Family, peer: string, { rules }: Policy, verdict: string): string[] {
  return rules
    .flatMap((rule) => ruleMatches(rule, family))
    .map((rule) => [peer, rule, verdict].filter((part) => part !== '').join(' '))
}

/** By tenant first: a packet passes as many rules as there are tenants, and then segments of its own, with policies. */
function placeChains(plan: AddressPlan, place: Place): Chain[] {
  const tenants = policyTenants(place.policies)
  const rules = tenants.map(
    ({ tenant }) => `${place.own} ${partyMatch(plan, { tenant })} -g ${branchName(place, tenant)}`,
  )
  return [
    { name: `${CHAIN_PREFIX}${place.name}`, rules },
    ...tenants.flatMap((tenant) => tenantChains(plan, place, tenant)),
  ]
}

function tenantChains(plan: AddressPlan, place: Place, { tenant, own, segments }: PolicyTenant): Chain[] {
  const toSegments = segments.map(
    ({ segment }) =>
      `${place.own} ${partyMatch(plan, { tenant, segment })} -g ${branchName(place, tenant, segment)}`,
  )
  return [
    { name: branchName(place, tenant), rules: [...toSegments, ...judgement(place, own)] },
    ...segments.map(({ segment, policies }) => ({
      name: branchName(place, tenant, segment),
      rules: judgement(place, [...new Set([...policies, ...own])]),
    })),
  ]
}

function branchName({ branch }: Place, ...numbers: readonly bigint[]): string {
  return `${CHAIN_PREFIX}${[branch, ...numbers].join('-')}`
}

/** Whoever is not allowed and not denied has what everybody has. */
function judgement({ head, allow }: Place, policies: readonly Policy[]): string[] {
  if (policies.length === 0) return []
  const denies = policies.some(({ isDefaultDeny }) => isDefaultDeny)
  return [...head, ...allow.flatMap((some) => policies.flatMap(some)), ...(denies ? ['-j DROP'] : [])]
}

/**
 * A policy opens no internal network: there the segment is all there is. What it lets in are no
 * errors: those of outside pass without it, and others are forged.
 */
function permittedChain(family: Family, acceptSegment: string): Chain {
  const closed = [`-i ${ANY_INTERNAL} -j DROP`, `-o ${ANY_INTERNAL} -j DROP`, dropErrors(family)]
  return { name: PERMITTED, rules: [acceptSegment, ...closed, '-j ACCEPT'] }
}
