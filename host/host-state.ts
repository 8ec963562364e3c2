/** What the kernel of this host shall carry, and what it was seen to carry. Plain data. */
import type { Cidr } from '../address/cidr.ts'
import type { Family, Ip } from '../address/ip.ts'
import type { Sysctl } from './host-files.ts'
import type { IptablesVariant } from './iptables-variant.ts'

/** A route of Romana's own table. */
export type Route =
  | { readonly kind: 'link'; readonly destination: Cidr; readonly link: string }
  /** To another host's prefix, or to the router that knows the prefixes of all. */
  | { readonly kind: 'via'; readonly destination: Cidr; readonly via: Ip; readonly link: string }
  /** Packets to it vanish: this host's own prefix, where no endpoint has the address. */
  | { readonly kind: 'blackhole'; readonly destination: Cidr }
  /** The sender is told: the rest of the plan, so that plan addresses never leave by the default route. */
  | { readonly kind: 'unreachable'; readonly destination: Cidr }

/** An address on a host link: the next hop of the endpoint behind it. */
export interface LinkAddress {
  readonly link: string
  readonly address: Ip
}

/** One chain of ours: its rules in the form `iptables-save` prints, without "-A CHAIN". */
export interface Chain {
  readonly name: string
  readonly rules: readonly string[]
}

/** Our chains in one table of one family, and the built-in chains whose first rule must jump to them. */
export interface FirewallTable {
  readonly family: Family
  readonly table: 'raw' | 'filter' | 'nat'
  readonly chains: readonly Chain[]
  readonly jumps: readonly { readonly from: string; readonly to: string }[]
}

/** The addresses of the other hosts, which rules know as one set of each family. Undefined: there is no such set, nor a rule that names it. */
export interface HostSets {
  readonly hostSet: readonly Ip[] | undefined
  readonly hostSet6?: readonly Ip[] | undefined
}

/** The wanted state. */
export interface HostState extends HostSets {
  /** Destinations that are looked up in Romana's table: the plans. */
  readonly policyRules: readonly Cidr[]
  readonly routes: readonly Route[]
  readonly linkAddresses: readonly LinkAddress[]
  readonly firewall: readonly FirewallTable[]
  /** Which iptables holds the rules. The other one must have none of ours. */
  readonly iptables: IptablesVariant
  /** Whether the host forwards packets because of us. Never switched off again: others may have come to need it. */
  readonly forwarding: boolean
  /** The same of IPv6. */
  readonly forwarding6: boolean
  /** Families in which FORWARD's own policy shall be to drop; of the others it is left as it is. */
  readonly forwardClosed: readonly Family[]
  /** Host links of recorded endpoints. A link of ours that is not here and is plainly dead is removed. */
  readonly links: readonly string[]
}

/** A link as seen. */
export interface SeenLink {
  readonly name: string
  readonly alias: string
  /** Its MAC address; "" where it has none. */
  readonly linkAddress: string
  readonly mtu: number
  readonly up: boolean
  /** Whether the other end of the veth pair lies in this namespace too: then no container has it. */
  readonly peerIsHere: boolean
}

/** One table of one family as `iptables-save` prints it. */
export interface SeenTable {
  readonly variant: IptablesVariant
  readonly family: Family
  readonly table: string
  /** Rules of every chain, built-in ones too, without "-A CHAIN". */
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** Built-in chains that drop, by their policy, what no rule of theirs decides on. */
  readonly closed: ReadonlySet<string>
}

/** What was seen. Lists named `own…` hold only what carries a mark of `marks.ts`. */
export interface ObservedHost extends HostSets {
  readonly links: readonly SeenLink[]
  readonly linkAddresses: readonly LinkAddress[]
  readonly ownPolicyRules: readonly Cidr[]
  readonly ownRoutes: readonly Route[]
  /** Addresses of links that are not ours. */
  readonly addresses: readonly SeenAddress[]
  readonly mainRoutes: readonly MainRoute[]
  /** Tables of both variants of iptables. */
  readonly firewall: readonly SeenTable[]
  readonly forwarding: boolean
  /** Undefined: this host has no IPv6, or new links get none. */
  readonly forwarding6: boolean | undefined
  /** Links with a default route in the main table. */
  readonly defaultLinks: readonly string[]
  /** Of these, those that listen to routers as long as the host forwards no IPv6. */
  readonly advertisedLinks: readonly string[]
  /** What our links have otherwise than they shall: as it shall be. */
  readonly straySysctls: readonly Sysctl[]
  /** Networks of foreign addresses, main-table routes and nameservers: a plan must not overlap them. */
  readonly foreignNetworks: readonly ForeignNetwork[]
}

/** An address of a link that is not ours. */
export interface SeenAddress {
  readonly link: string
  readonly address: Ip
  readonly prefixLength: number
  /** Whether others can use it, and go on using it: not that of the loopback, of a single link, or of a few hours. */
  readonly isGlobal: boolean
}

/** A route of the main table. The default route is that of the length 0. */
export interface MainRoute {
  readonly destination: Cidr
  readonly link: string
  /** Absent: the destination is on the link itself. */
  readonly via?: Ip
  /** The address that packets of this host get. */
  readonly source?: Ip
  readonly metric: number
}

/** A network that others use, and where it was seen: "route 10.0.0.0/24 dev eth0". */
export interface ForeignNetwork {
  readonly cidr: Cidr
  readonly seenAs: string
}
