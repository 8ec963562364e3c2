/** Peers and rules of policies as matches of iptables, in the form that `iptables-save` prints. Pure. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import { cidrDifference } from '../address/cidr-difference.ts'
import { shiftOf } from '../address/codec.ts'
import { ADDRESS_BITS, type Family, Ip } from '../address/ip.ts'
import { segmentMask, tenantMask } from '../address/prefixes.ts'
import type { Party, Peer, PortRange, Rule } from './policy.ts'

/** How many ports one match can have; a range counts as two (libxt_multiport). */
const MULTIPORT_PLACES = 15

/** An address and a mask with holes: all addresses of the segment or tenant, on all hosts. "10.0.17.0/255.0.255.0". */
export function partyMatch(plan: AddressPlan, { tenant, segment }: Party): string {
  const { family, network } = plan.cidr
  const mask = segment === undefined ? tenantMask(plan) : segmentMask(plan)
  const numbers = (tenant << shiftOf(plan, 'tenant')) | ((segment ?? 0n) << shiftOf(plan, 'segment'))
  return `${Ip.of(family, network.value | numbers)}/${maskText(plan, mask)}`
}

/** The same for the segment of one of its addresses. */
export function segmentMatch(plan: AddressPlan, { family, value }: Ip): string {
  const mask = segmentMask(plan)
  return `${Ip.of(family, value & mask)}/${maskText(plan, mask)}`
}

/** The length of a mask without holes, as `iptables-save` prints it. */
function maskText({ cidr: { family } }: AddressPlan, mask: bigint): string {
  const bits = mask.toString(2).padStart(ADDRESS_BITS[family], '0')
  return /^1*0*$/.test(bits) ? String(bits.lastIndexOf('1') + 1) : String(Ip.of(family, mask))
}

/** What an address must match, "" for any address. None for the host: it has no address of its own here. */
export function peerMatches(plan: AddressPlan, peer: Peer): string[] {
  switch (peer.kind) {
    case 'any':
      return ['']
    case 'host':
      return []
    case 'party':
      return [partyMatch(plan, peer.party)]
    case 'cidr':
      return peer.cidr.family === plan.cidr.family
        ? cidrDifference(peer.cidr, peer.except).map(cidrMatch)
        : []
  }
}

function cidrMatch(cidr: Cidr): string {
  return cidr.prefixLength === 0 ? '' : String(cidr)
}

/** Matches of which one must hold, "" for everything; none where the rule is not of the family. */
export function ruleMatches(rule: Rule, family: Family): string[] {
  switch (rule.protocol) {
    case 'any':
      return ['']
    case 'icmp':
      return family === 4 ? typeMatches('-p icmp', '-m icmp --icmp-type', rule.types) : []
    case 'icmp6':
      return family === 6 ? typeMatches('-p ipv6-icmp', '-m icmp6 --icmpv6-type', rule.types) : []
    default:
      return portMatches(rule.protocol, rule.ports)
  }
}

function typeMatches(protocol: string, option: string, types: readonly number[]): string[] {
  return types.length === 0 ? [protocol] : types.map((type) => `${protocol} ${option} ${type}`)
}

function portMatches(protocol: 'tcp' | 'udp', ports: readonly PortRange[]): string[] {
  if (ports.length === 0) return [`-p ${protocol}`]
  return filled(ports).map((group) => {
    const texts = group.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`))
    return texts.length === 1
      ? `-p ${protocol} -m ${protocol} --dport ${texts[0]}`
      : `-p ${protocol} -m multiport --dports ${texts.join(',')}`
  })
}

/** In order, as many together as one match can have. */
function filled(ports: readonly PortRange[]): PortRange[][] {
  const groups: PortRange[][] = []
  let placesLeft = 0
  for (const range of ports) {
    const places = range.first === range.last ? 1 : 2
    if (places > placesLeft) {
      groups.push([])
      placesLeft = MULTIPORT_PLACES
    }
    placesLeft -= places
    groups.at(-1)?.push(range)
  }
  return groups
}
