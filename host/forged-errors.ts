/**
 * ICMP errors that somebody makes of what is not his: rules that drop them, and whose are believed. The kernel takes an error for
 * RELATED to the flow of the packet in it, whoever sends it, and translates it as it translates that flow. So a server outside, or a
 * container of Docker that a port leads to, would take it for one of the host's. Pure.
 */
import type { Cidr } from '../address/cidr.ts'
import type { Family } from '../address/ip.ts'
import type { Chain } from './host-state.ts'
import { CHAIN_PREFIX } from './marks.ts'
import { isNeighbourWay, type PeerWay } from './peers.ts'

/** Whose errors about what goes between endpoints are believed. */
const ERRORS = `${CHAIN_PREFIX}ERRORS`

const ICMP = { 4: '-p icmp', 6: '-p ipv6-icmp' } as const

/** Anybody's, that the kernel relates to a flow or to none. What is no error is something else (net/netfilter/nf_conntrack_proto_icmpv6.c). */
export function dropErrors(family: Family): string {
  return `${ICMP[family]} -m conntrack --ctstate INVALID,RELATED -j DROP`
}

/** Behind the rule that lets pass what stays within a segment: endpoints tell nobody else of errors, of whatever flow. */
export function dropErrorsOfEndpoints(plan: Cidr): string {
  return `-s ${plan} ${dropErrors(plan.family)}`
}

/**
 * Those of bridge containers to the outside, of flows that an endpoint began or answers. The host makes its own errors and
 * forwards none of these.
 */
export function dropErrorsOfStrangers(plan: Cidr): string[] {
  const related = `${ICMP[plan.family]} -m conntrack --ctstate RELATED`
  return ['--ctorigsrc', '--ctreplsrc'].map((end) => `! -d ${plan} ${related} ${end} ${plan} -j DROP`)
}

/** Rules of the forward chain, and what they jump to. */
export interface ErrorRules {
  readonly forward: readonly string[]
  readonly chains: readonly Chain[]
}

/**
 * Whose errors are believed: a forged "fragmentation needed" shrinks a stranger's path MTU. Never those of endpoints, and of others
 * only by the links to the world. Of what goes between endpoints nobody knows but their hosts, told by their MAC addresses; where a
 * host is behind a router, that may have to say something too, and nobody knows by which address.
 * @param ways to the other hosts, of the plan's family.
 */
export function believedErrors(plan: Cidr, uplinks: readonly string[], ways: readonly PeerWay[]): ErrorRules {
  const toPlan = `! -s ${plan} -d ${plan}`
  const links = new Set([...uplinks, ...ways.map(({ link }) => link)])
  const accept = [...links].map((link) => `${toPlan} -i ${link} -m conntrack --ctstate RELATED -j ACCEPT`)
  if (!ways.every(isNeighbourWay)) return { forward: accept, chains: [] }
  const within = `${toPlan} -m conntrack --ctstate RELATED --ctorigsrc ${plan} --ctorigdst ${plan}`
  const hosts = ways.map(({ link, linkAddress }) => `-i ${link} -m mac --mac-source ${linkAddress} -j RETURN`)
  if (hosts.length === 0) return { forward: [`${within} -j DROP`, ...accept], chains: [] }
  return {
    forward: [`${within} -j ${ERRORS}`, ...accept],
    chains: [{ name: ERRORS, rules: [...hosts, '-j DROP'] }],
  }
}
