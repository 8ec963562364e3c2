/** How packets of this host get to an address: what its main table says. Pure. */
import type { Ip } from '../address/ip.ts'
import type { MainRoute } from './host-state.ts'

/** A link that has the address on it, or a link with a router on it. */
export interface Way {
  readonly link: string
  readonly via?: Ip
}

/** The longest prefix counts, then the lowest metric. Undefined: there is no way. */
export function wayTo(address: Ip, mainRoutes: readonly MainRoute[]): Way | undefined {
  const [best] = mainRoutes
    .filter(({ destination }) => destination.contains(address))
    .sort((a, b) => b.destination.prefixLength - a.destination.prefixLength || a.metric - b.metric)
  if (best === undefined) return undefined
  return { link: best.link, ...(best.via === undefined ? {} : { via: best.via }) }
}
