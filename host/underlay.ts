/** Where other hosts reach this one: its address on the underlay. Pure. */
import { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import type { ObservedHost, SeenAddress } from './host-state.ts'

const LINK_LOCAL = Cidr.parse('fe80::/10')

export interface Underlay {
  readonly address: Ip
  /** The link-local IPv6 address of the link; absent where it has none. */
  readonly address6?: Ip
  /** The IPv6 address of the link that routers reach; absent where it has none. */
  readonly globalAddress6?: Ip
  readonly link: string
  /** The MAC address of the link; absent where it has none, as tunnels. */
  readonly linkAddress?: string
}

/**
 * The address of the setting; without it the one that packets get which leave by the default route.
 * @throws RomanaError E_UNDERLAY when it cannot be told, or is no address of this host.
 */
export function findUnderlay(seen: ObservedHost, setting: Ip | undefined): Underlay {
  const { link, address } = setting === undefined ? usualAddress(seen) : settingAddress(seen, setting)
  const linkAddress = seen.links.find(({ name }) => name === link)?.linkAddress
  const address6 = linkLocalAddress(seen, link)
  const globalAddress6 = globalAddress(seen, link)
  return {
    address,
    ...(address6 && { address6 }),
    ...(globalAddress6 && { globalAddress6 }),
    link,
    ...(linkAddress ? { linkAddress } : {}),
  }
}

/** Every link with IPv6 has one, and it stays when a router gives the host other ones. */
function linkLocalAddress({ addresses }: ObservedHost, link: string): Ip | undefined {
  const own = addresses.filter((each) => each.link === link)
  return own.find(({ address }) => LINK_LOCAL.contains(address))?.address
}

/** The one that packets get which leave by the default route where that names one, else the first. */
function globalAddress({ addresses, mainRoutes }: ObservedHost, link: string): Ip | undefined {
  const own = addresses.filter((each) => each.link === link && each.isGlobal && each.address.family === 6)
  const route = mainRoutes.find(
    ({ destination, ...each }) =>
      each.link === link && destination.family === 6 && destination.prefixLength === 0,
  )
  return (own.find(({ address }) => route?.source?.equals(address)) ?? own[0])?.address
}

function settingAddress(seen: ObservedHost, setting: Ip): SeenAddress {
  const found = seen.addresses.find(({ address }) => address.equals(setting))
  if (found !== undefined) return found
  throw underlayError(`ROMANA_UNDERLAY_ADDRESS says ${setting}, which this host does not have`, seen)
}

function usualAddress(seen: ObservedHost): SeenAddress {
  const [route] = seen.mainRoutes
    .filter(({ destination }) => destination.prefixLength === 0 && destination.family === 4)
    .sort((a, b) => a.metric - b.metric)
  if (route === undefined) throw underlayError('it has no default route', seen)
  const candidates = usableAddresses(seen).filter(({ link }) => link === route.link)
  const found = candidates.find(({ address }) => route.source?.equals(address) ?? true)
  if (found !== undefined) return found
  throw underlayError(`the link ${route.link} of its default route has no address`, seen)
}

function usableAddresses({ addresses }: ObservedHost): SeenAddress[] {
  return addresses.filter(({ address, isGlobal }) => isGlobal && address.family === 4)
}

function underlayError(because: string, seen: ObservedHost): RomanaError {
  const found = usableAddresses(seen).map(({ address, link }) => `${address} on ${link}`)
  return new RomanaError('E_UNDERLAY', {
    cannot: 'tell at which address other hosts reach this one',
    because,
    remedy: `Set ROMANA_UNDERLAY_ADDRESS to one of its addresses: ${found.join(', ') || 'it has none'}`,
  })
}
