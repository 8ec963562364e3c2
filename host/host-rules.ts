/** What may come to the host itself from the plan, whichever of its addresses is called. Pure. */
import type { Cidr } from '../address/cidr.ts'
import type { Family } from '../address/ip.ts'
import { dropErrors } from './forged-errors.ts'
import type { Chain } from './host-state.ts'
import { ANY_ENDPOINT, ANY_ROUTED, CHAIN_PREFIX } from './marks.ts'
import { hostStoreRules, type StoreAddress } from './store-rules.ts'

export const INPUT = `${CHAIN_PREFIX}INPUT`
const HOST = `${CHAIN_PREFIX}HOST`

/** What IPv6 has instead of ARP (RFC 4861): the one thing that a container may say from a link-local address. */
export const ASK_NEIGHBOUR = '-p ipv6-icmp -m icmp6 --icmpv6-type 135'
const TELL_NEIGHBOUR = '-p ipv6-icmp -m icmp6 --icmpv6-type 136'
const ECHO_REQUEST = {
  4: '-p icmp -m icmp --icmp-type 8',
  6: '-p ipv6-icmp -m icmp6 --icmpv6-type 128',
} as const

/**
 * Who has no address yet. The check of the reverse path lets that pass to everybody on the link (net/ipv4/netfilter/ipt_rpfilter.c),
 * over IPv6 to whomever. To see whether an address is free one may ask the host so, and nothing else; no kernel forwards it.
 */
const NOBODY = { 4: '0.0.0.0/8', 6: '::/128' } as const

/** What these rules depend on beside the plan. */
export interface HostRules {
  /** Whether endpoints reach what listens on their own host. */
  readonly isOpen: boolean
  /** What policies say of the host: rules. */
  readonly policies: readonly string[]
  /** Their ports nothing opens. */
  readonly stores: readonly StoreAddress[]
}

export function hostChains(plan: Cidr, rules: HostRules): [Chain, Chain] {
  return [hostChain(plan.family, rules), inputChain(plan)]
}

/** Judges what comes from or goes to the plan, on every link: other hosts' endpoints must not reach this host either. */
function inputChain(plan: Cidr): Chain {
  return {
    name: INPUT,
    rules: [
      '-i lo -j RETURN',
      `-i ${ANY_ENDPOINT} -j ${HOST}`,
      `-s ${plan} -j ${HOST}`,
      `-d ${plan} -j ${HOST}`,
    ],
  }
}

/** What endpoints may have of the host itself. */
function hostChain(family: Family, { isOpen, policies, stores }: HostRules): Chain {
  const asks = family === 4 ? [] : [ASK_NEIGHBOUR, TELL_NEIGHBOUR]
  return {
    name: HOST,
    rules: [
      ...hostStoreRules(stores),
      '-m conntrack --ctstate ESTABLISHED -j ACCEPT',
      ...asks.map((ask) => `-i ${ANY_ENDPOINT} ${ask} -j ACCEPT`),
      `-s ${NOBODY[family]} -j DROP`,
      ...(isOpen || policies.length > 0 ? [dropErrors(family)] : []),
      ...policies,
      `-i ${ANY_ENDPOINT} ${ECHO_REQUEST[family]} -j ACCEPT`,
      // Not for internal networks: a name server that asks others is a way out.
      `-i ${ANY_ROUTED} -p udp -m udp --dport 53 -j ACCEPT`,
      `-i ${ANY_ROUTED} -p tcp -m tcp --dport 53 -j ACCEPT`,
      ...(isOpen ? [`-i ${ANY_ROUTED} -j ACCEPT`] : []),
      '-j DROP',
    ],
  }
}
