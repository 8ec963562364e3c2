/** The other hosts as this one reaches them: one route to each on a shared link, none to those behind a router. Pure. */
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

/** Another host on a link of this one: the next hop to one of its prefixes. */
export interface Neighbour {
  readonly prefix: Cidr
  readonly address: Ip
  readonly linkAddress?: string | undefined
  readonly link: string
}

/** The way to hosts that are not on a link of this one. */
export interface RouterWay {
  readonly link: string
  readonly via: Ip
}

export interface PeerWays {
  readonly neighbours: readonly Neighbour[]
  /** One of a family at most; none where there are no such hosts, or no way to them. */
  readonly routers: readonly RouterWay[]
}

export function waysToPeers(peers: readonly Peer[], mainRoutes: readonly MainRoute[]): PeerWays {
  const hops = peers.flatMap((peer) => nextHopsTo(peer, mainRoutes))
  const routers = hops.flatMap((hop) => ('via' in hop ? [hop] : []))
  const firsts = [4, 6].flatMap((family) => routers.find(({ via }) => via.family === family) ?? [])
  return { neighbours: hops.flatMap((hop) => ('via' in hop ? [] : [hop])), routers: firsts }
}

/** A host on a link is reached over IPv6 by its link-local address, which stays when a router gives it other ones. */
function nextHopsTo(peer: Peer, mainRoutes: readonly MainRoute[]): (Neighbour | RouterWay)[] {
  const { prefix, address, ipv6, linkAddress } = peer
  const hop = nextHop({ prefix, address, linkAddress }, mainRoutes)
  if (ipv6 === undefined) return hop
  const [link] = hop.flatMap((found) => ('via' in found ? [] : [found.link]))
  const { linkLocal, global } = ipv6
  if (link !== undefined && linkLocal !== undefined)
    return [...hop, { prefix: ipv6.prefix, address: linkLocal, linkAddress, link }]
  if (global === undefined) return hop
  return [...hop, ...nextHop({ prefix: ipv6.prefix, address: global, linkAddress }, mainRoutes)]
}

function nextHop(
  neighbour: Omit<Neighbour, 'link'>,
  mainRoutes: readonly MainRoute[],
): (Neighbour | RouterWay)[] {
  const way = wayTo(neighbour.address, mainRoutes)
  if (way === undefined) return []
  return [way.via === undefined ? { ...neighbour, link: way.link } : { link: way.link, via: way.via }]
}

/**
 * A route to each neighbour's prefix, and one for the rest of the plan: to the router, where hosts are behind one, and
 * otherwise to nobody, so that plan addresses never leave by the default route.
 */
export function peerRoutes(plan: Cidr, { neighbours, routers }: PeerWays): Route[] {
  const router = routers.find(({ via }) => via.family === plan.family)
  return [
    router === undefined
      ? { kind: 'unreachable', destination: plan }
      : { kind: 'via', destination: plan, ...router },
    ...neighbours
      .filter(({ prefix }) => prefix.family === plan.family)
      .map(({ prefix, address, link }): Route => ({ kind: 'via', destination: prefix, via: address, link })),
  ]
}
