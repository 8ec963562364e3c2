/**
 * The rules, whole: constant in tenants, segments and endpoints, but for the published ports of `port-rules.ts`. Every text is
 * in the form `iptables-save` prints, so that what is wanted and what is seen compare as text. Pure.
 */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Family } from '../address/ip.ts'
import {
  believedErrors,
  dropErrorsOfEndpoints,
  dropErrorsOfStrangers,
  type ErrorRules,
} from './forged-errors.ts'
import { ASK_NEIGHBOUR, hostChains, INPUT } from './host-rules.ts'
import type { Chain, FirewallTable } from './host-state.ts'
import { ANY_ENDPOINT, ANY_INTERNAL, CHAIN_PREFIX } from './marks.ts'
import { type NatOptions, natRules, translatedSources } from './nat-rules.ts'
import { isNeighbourWay, type PeerWay } from './peers.ts'
import type { Policy } from './policy.ts'
import { type PolicyRules, policyRules } from './policy-rules.ts'
import { HAIRPIN, LOOPBACK, PORTS, type PortRule, portChains } from './port-rules.ts'
import { type SegmentRules, segmentRules } from './segment-rules.ts'
import { type StoreAddress, storeRules } from './store-rules.ts'

const PREROUTING = `${CHAIN_PREFIX}PREROUTING`
const FORWARD = `${CHAIN_PREFIX}FORWARD`
/** In nat: which source what leaves gets. */
export const POSTROUTING = `${CHAIN_PREFIX}POSTROUTING`

/** What the rules depend on beside the plans. Plan addresses may leave through the uplinks only. */
export interface FirewallOptions extends NatOptions {
  readonly ports: readonly PortRule[]
  readonly policies: readonly Policy[]
  /** Those of this host's networks, where each segment needs a rule: the kernel lacks xt_bpf. */
  readonly cells?: readonly Cidr[]
  /** Whether endpoints reach what listens on their own host. */
  readonly isHostOpen: boolean
  /** Absent on a single host. */
  readonly cluster?: ClusterRules
}

/** What the rules say of other hosts, and of the store that all share. */
export interface ClusterRules {
  /** To the other hosts. */
  readonly ways: readonly PeerWay[]
  /** Plans of which no network of this host has addresses. */
  readonly unusedPlans: readonly Cidr[]
  readonly stores: readonly StoreAddress[]
}

/** @param plans the IPv6 one only when some network has IPv6. */
export function firewall({ ipv4, ipv6 }: Plans, options: FirewallOptions): FirewallTable[] {
  return [
    ...planTables(ipv4, options),
    ...(ipv6 === undefined ? [noIpv6FromEndpoints(options)] : planTables(ipv6, options)),
  ]
}

function planTables(plan: AddressPlan, options: FirewallOptions): FirewallTable[] {
  const { family } = plan.cidr
  const ports = portChains(family, options.ports)
  const segments = segmentRules(plan, options.cells)
  const policies = policyRules(plan, options.policies, segments.accept)
  const errors = believedErrors(plan.cidr, options.uplinks, waysOf(family, options.cluster))
  return [
    rawTable(family, sourceRules(plan, options.cluster)),
    {
      family,
      table: 'filter',
      chains: [
        ...segments.chains,
        ...policies.chains,
        ...errors.chains,
        forwardChain(plan, options, { segments, policies, errors }),
        ports.filter,
        ...hostChains(plan.cidr, {
          isOpen: options.isHostOpen,
          policies: policies.host,
          stores: options.cluster?.stores ?? [],
        }),
      ],
      jumps: [
        { from: 'FORWARD', to: FORWARD },
        { from: 'INPUT', to: INPUT },
      ],
    },
    natTable(plan, ports.nat, options),
  ]
}

/**
 * Isolation rests on source addresses. From an endpoint link every source must route back through that very link; a
 * plan address must do so wherever it comes from, since a bridge container or an outsider can forge one too.
 * A match on the route, and not the sysctl rp_filter: `all=2` would turn the sysctl into a loose check. On a link that
 * hosts share the route says no more than the link; there the addresses of a host come from its own link address only.
 * A container may ask for its gateway from its link-local address, which has no route and which no kernel forwards.
 * The loopback's addresses get past the kernel where somebody has set route_localnet. It is too late to drop them when others'
 * rules have translated them; those of IPv6 no kernel lets in.
 */
function sourceRules({ cidr }: AddressPlan, cluster: ClusterRules | undefined): string[] {
  return [
    ...(cidr.family === 4 ? [`-d ${LOOPBACK[4]} -i ${ANY_ENDPOINT} -j DROP`] : []),
    ...(cidr.family === 6 ? [`-s fe80::/10 -i ${ANY_ENDPOINT} ${ASK_NEIGHBOUR} -j RETURN`] : []),
    `-i ${ANY_ENDPOINT} -m rpfilter --invert -j DROP`,
    `-s ${cidr} -m rpfilter --invert -j DROP`,
    ...neighbourRules(cidr, waysOf(cidr.family, cluster)),
  ]
}

/** One for each, so that only what they are about passes them: not the packets of this host, its containers and the world. */
function neighbourRules(plan: Cidr, ways: readonly PeerWay[]): string[] {
  const rules = ways
    .filter(isNeighbourWay)
    .map(
      ({ prefix, link, linkAddress }) =>
        `-s ${prefix} -i ${link} -m mac ! --mac-source ${linkAddress} -j DROP`,
    )
  return rules.length === 0 ? [] : [`! -s ${plan} -j RETURN`, `-i ${ANY_ENDPOINT} -j RETURN`, ...rules]
}

/** What does not concern the plan returns: Docker decides on it. */
function forwardChain(
  { cidr }: AddressPlan,
  options: FirewallOptions,
  {
    segments,
    policies,
    errors,
  }: { readonly segments: SegmentRules; readonly policies: PolicyRules; readonly errors: ErrorRules },
): Chain {
  return {
    name: FORWARD,
    rules: [
      ...storeRules(cidr, options.cluster?.stores ?? []),
      ...policies.forward,
      segments.accept,
      `-i ${ANY_INTERNAL} -j DROP`,
      `-o ${ANY_INTERNAL} -j DROP`,
      ...segmentSizeRules(cidr),
      `-s ${cidr} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
      `! -s ${cidr} -d ${cidr} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
      dropErrorsOfEndpoints(cidr),
      ...dropErrorsOfStrangers(cidr),
      ...errors.forward,
      `-d ${cidr} -m conntrack --ctstate DNAT -j ${PORTS}`,
      `-d ${cidr} -j DROP`,
      ...options.uplinks.flatMap((uplink) => wayOut(cidr, uplink, options)),
      // What the engine has translated goes to a port that it publishes. Everything else would reach its bridges where
      // it leaves them to the policy of FORWARD, as 20.10 does.
      `-s ${cidr} -m conntrack ! --ctstate DNAT -j DROP`,
    ],
  }
}

/**
 * Both ends of a TCP connection that leaves or enters the plan are told how much the smaller link of this host takes: ICMP errors
 * would say so too, but some nets lose them. Of the packets that begin a connection only.
 */
function segmentSizeRules(plan: Cidr): string[] {
  const clamp = '-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu'
  return [`-s ${plan} ${clamp}`, `! -s ${plan} -d ${plan} ${clamp}`]
}

function waysOf(family: Family, cluster: ClusterRules | undefined): PeerWay[] {
  return (cluster?.ways ?? []).filter(({ prefix }) => prefix.family === family)
}

/** The kernel does not translate what it takes for invalid: that would leave with a plan address. */
function wayOut(plan: Cidr, uplink: string, options: FirewallOptions): string[] {
  const invalid = translatedSources(plan, options).map(
    (source) => `-s ${source} -o ${uplink} -m conntrack --ctstate INVALID -j DROP`,
  )
  return [...invalid, `-s ${plan} -o ${uplink} -j ACCEPT`]
}

function natTable({ cidr }: AddressPlan, ports: readonly Chain[], options: FirewallOptions): FirewallTable {
  const rules = [
    `-d ${cidr} -m conntrack --ctstate DNAT -j ${HAIRPIN}`,
    ...natRules(cidr, options.cluster !== undefined, options),
  ]
  return {
    family: cidr.family,
    table: 'nat',
    chains: [...ports, { name: POSTROUTING, rules }],
    jumps: [
      { from: 'PREROUTING', to: PORTS },
      { from: 'OUTPUT', to: PORTS },
      { from: 'POSTROUTING', to: POSTROUTING },
    ],
  }
}

/**
 * No endpoint here has an IPv6 address. Link-local traffic would pass round the rules above, to the host's own services; so would
 * that of endpoints of other hosts which have IPv6.
 */
function noIpv6FromEndpoints({ cluster }: FirewallOptions): FirewallTable {
  const unused = (cluster?.unusedPlans ?? []).filter(({ family }) => family === 6)
  return rawTable(6, [`-i ${ANY_ENDPOINT} -j DROP`, ...unused.map(fromPlan)])
}

/** On a host that has no addresses of the plan: nothing from those who have. */
export function deafTo(plan: Cidr): FirewallTable {
  return rawTable(plan.family, [fromPlan(plan)])
}

function fromPlan(plan: Cidr): string {
  return `-s ${plan} -j DROP`
}

function rawTable(family: Family, rules: readonly string[]): FirewallTable {
  return {
    family,
    table: 'raw',
    chains: [{ name: PREROUTING, rules }],
    jumps: [{ from: 'PREROUTING', to: PREROUTING }],
  }
}
