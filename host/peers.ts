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
  /** Its IPv6 side; absent where this host or the other one has no IPv6. */
  readonly ipv6?: { readonly prefix: Cidr; readonly address: Ip } | undefined
  /** The MAC address of its link on the underlay. */
  readonly linkAddress?: string | undefined
}

/** Another host on a link of this one. */
export interface Neighbour extends Peer {
  readonly link: string
}

export interface PeerWays {
  readonly neighbours: readonly Neighbour[]
  /** The way to the hosts that are not on a link of this one; absent when there are none, or no way. */
  readonly router?: { readonly link: string; readonly via: Ip }
}

export function waysToPeers(peers: readonly Peer[], mainRoutes: readonly MainRoute[]): PeerWays {
  const neighbours: Neighbour[] = []
  let router: PeerWays['router']
  for (const peer of peers) {
    const way = wayTo(peer.address, mainRoutes)
    if (way === undefined) continue
    if (way.via === undefined) neighbours.push(...neighbourOf(peer, way.link))
    else router ??= { link: way.link, via: way.via }
  }
  return { neighbours, ...(router === undefined ? {} : { router }) }
}

/** Of IPv6 a neighbour is one by its link-local address. Behind a router it is not reached. */
function neighbourOf({ ipv6, ...peer }: Peer, link: string): Neighbour[] {
  return [{ ...peer, link }, ...(ipv6 === undefined ? [] : [{ ...peer, ...ipv6, link }])]
}

/**
 * A route to each neighbour's prefix, and one for the rest of the plan: to the router, where hosts are behind one, and
 * otherwise to nobody, so that plan addresses never leave by the default route.
 */
export function peerRoutes(plan: Cidr, { neighbours, router }: PeerWays): Route[] {
  return [
    router?.via.family !== plan.family
      ? { kind: 'unreachable', destination: plan }
      : { kind: 'via', destination: plan, ...router },
    ...neighbours
      .filter(({ prefix }) => prefix.family === plan.family)
      .map(({ prefix, address, link }): Route => ({ kind: 'via', destination: prefix, via: address, link })),
  ]
}
