/** The other hosts as this one reaches them: one route to each, itself on a link of this one or behind a router. Pure. */
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import type { MainRoute, Route } from './host-state.ts'
import { wayTo } from './ways.ts'

/** Another host. */
export interface Peer {
  readonly prefix: Cidr
  /** On the underlay. */
  readonly address: Ip
  /** Its IPv6 side; absent where this host has no IPv6. */
  readonly ipv6?: PeerIpv6 | undefined
  /** The MAC address of its link on the underlay. */
  readonly linkAddress?: string | undefined
}

/** The addresses are absent where the other host has none. */
export interface PeerIpv6 {
  readonly prefix: Cidr
  readonly linkLocal?: Ip | undefined
  /** One that routers reach. */
  readonly global?: Ip | undefined
}

/** The way to one of another host's prefixes. */
export interface PeerWay {
  readonly prefix: Cidr
  readonly link: string
  /** The next hop: the host itself, or a router. */
  readonly via: Ip
  /** Whether the host itself is on the link. */
  readonly isNeighbour: boolean
  /** The host's own MAC address, as it is known. Behind a router nobody here sees it. */
  readonly linkAddress?: string | undefined
}

/** The way to a host on a link of this one, of which it is known what it sends from. */
export interface NeighbourWay extends PeerWay {
  readonly linkAddress: string
}

export function isNeighbourWay(way: PeerWay): way is NeighbourWay {
  return way.isNeighbour && way.linkAddress !== undefined
}

/** None to a host whose address no route leads to. */
export function waysToPeers(peers: readonly Peer[], mainRoutes: readonly MainRoute[]): PeerWay[] {
  return peers.flatMap((peer) => waysToPeer(peer, mainRoutes))
}

/** A host on a link is reached over IPv6 by its link-local address, which stays when a router gives it other ones. */
function waysToPeer(peer: Peer, mainRoutes: readonly MainRoute[]): PeerWay[] {
  const { prefix, address, ipv6, linkAddress } = peer
  const ways = wayToPrefix({ prefix, address, linkAddress }, mainRoutes)
  if (ipv6 === undefined) return ways
  const [near] = ways.filter(({ isNeighbour }) => isNeighbour)
  const { prefix: prefix6, linkLocal, global } = ipv6
  if (near !== undefined && linkLocal !== undefined)
    return [...ways, { ...near, prefix: prefix6, via: linkLocal }]
  if (global === undefined) return ways
  return [...ways, ...wayToPrefix({ prefix: prefix6, address: global, linkAddress }, mainRoutes)]
}

function wayToPrefix(
  { prefix, address, linkAddress }: Pick<Peer, 'prefix' | 'address' | 'linkAddress'>,
  mainRoutes: readonly MainRoute[],
): PeerWay[] {
  const way = wayTo(address, mainRoutes)
  if (way === undefined) return []
  const { link, via } = way
  return [{ prefix, link, via: via ?? address, isNeighbour: via === undefined, linkAddress }]
}

/**
 * A route to each other host's prefix. Addresses of no host, and those of one that nothing leads to, lead to nobody: they never leave
 * by the default route, and whoever sends from one is no endpoint.
 */
export function peerRoutes(plan: Cidr, ways: readonly PeerWay[]): Route[] {
  const ofPlan = ways.filter(({ prefix }) => prefix.family === plan.family)
  return [
    { kind: 'unreachable', destination: plan },
    ...ofPlan.map(({ prefix, via, link }): Route => ({ kind: 'via', destination: prefix, via, link })),
  ]
}
