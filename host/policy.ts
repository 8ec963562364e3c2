/** A policy as the rules and the verdicts of this host need it: numbers instead of names. */
import type { Cidr } from '../address/cidr.ts'

/** A whole tenant, or one segment of it. */
export interface Party {
  readonly tenant: bigint
  readonly segment?: bigint
}

export type Peer =
  | { readonly kind: 'any' }
  /** The host that the endpoint is on. */
  | { readonly kind: 'host' }
  | { readonly kind: 'cidr'; readonly cidr: Cidr; readonly except: readonly Cidr[] }
  | { readonly kind: 'party'; readonly party: Party }

/** Both ends included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export type Rule =
  | { readonly protocol: 'any' }
  /** No range: every port. */
  | { readonly protocol: 'tcp' | 'udp'; readonly ports: readonly PortRange[] }
  /** That of IPv4, and that of IPv6. No type: every type. */
  | { readonly protocol: 'icmp' | 'icmp6'; readonly types: readonly number[] }

export interface Policy {
  readonly direction: 'ingress' | 'egress'
  readonly isDefaultDeny: boolean
  readonly appliesTo: readonly Party[]
  readonly peers: readonly Peer[]
  readonly rules: readonly Rule[]
}
