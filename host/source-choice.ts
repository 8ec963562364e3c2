/** Which of its addresses this host itself uses, where that is not what masquerading would choose. Pure. */
import { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import type { MainRoute, ObservedHost } from './host-state.ts'

/** What goes by a link to a destination. */
export interface SourceChoice {
  readonly link: string
  /** That of the default route has the length 0. */
  readonly destination: Cidr
  /** Absent: what masquerading chooses. */
  readonly source?: Ip
}

type Seen = Pick<ObservedHost, 'mainRoutes' | 'addresses'>

/**
 * A route may name the source of what this host sends (`ip route ... src`): that of a host with several uplinks or addresses.
 * Masquerading does not heed it. Of each link that has such a route all routes, the longest prefix first; of no link otherwise.
 */
export function sourceChoices(seen: Seen): SourceChoice[] {
  const links = new Set(
    seen.mainRoutes
      .filter((route) => isChosen(route, seen))
      .map(({ link, destination }) => `${destination.family} ${link}`),
  )
  const choices = new Map<string, SourceChoice>()
  for (const route of [...seen.mainRoutes].sort(byLengthAndMetric)) {
    const { link, destination, source } = route
    if (!links.has(`${destination.family} ${link}`)) continue
    const choice = { link, destination, ...(isChosen(route, seen) && source && { source }) }
    const name = `${link} ${destination}`
    if (!choices.has(name)) choices.set(name, choice)
  }
  return [...choices.values()]
}

function byLengthAndMetric(a: MainRoute, b: MainRoute): number {
  return b.destination.prefixLength - a.destination.prefixLength || a.metric - b.metric
}

function isChosen(route: MainRoute, seen: Seen): boolean {
  if (route.source === undefined) return false
  return masqueradeSource(route, seen)?.equals(route.source) !== true
}

/**
 * IPv4: the link's first address whose network has the next hop, else its first (net/ipv4/devinet.c, inet_select_addr). IPv6 goes
 * by many rules (RFC 6724), so there a route that names a source is always heeded.
 */
function masqueradeSource({ destination, link, via }: MainRoute, { addresses }: Seen): Ip | undefined {
  if (destination.family === 6) return undefined
  const ofLink = addresses.filter((seen) => seen.link === link && seen.isGlobal && seen.address.family === 4)
  const nextHop = via ?? destination.network
  const near = ofLink.find(({ address, prefixLength }) =>
    Cidr.around(address, prefixLength).contains(nextHop),
  )
  return (near ?? ofLink[0])?.address
}
