/** The hot path: the `ip -batch` lines of one endpoint. It reads nothing of the kernel. Pure. */
import { hostCidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { formatLinkAlias, type LinkAlias } from './link-alias.ts'
import type { LinkNames } from './link-names.ts'
import { addressLine, formatRoute, nextHops } from './plan-host.ts'

/** All that the kernel must know of one endpoint. */
export interface EndpointWiring {
  readonly links: LinkNames
  readonly alias: LinkAlias
  /** One for each address of the alias. */
  readonly gateways: readonly Ip[]
  readonly mtu: number
}

/**
 * One veth pair, its next hop and its route. The host end is up before the engine moves the container end, for which
 * the engine would otherwise wait 5 s. Without addrgenmode the kernel would give the host end a link-local address, and
 * with it a way round the IPv4 rules. The engine sets the container's address and MAC itself.
 */
export function planEndpoint({ links, alias, gateways, mtu }: EndpointWiring): string[] {
  const { hostLink, containerLink } = links
  const { address, address6 } = alias
  const routed = address6 === undefined ? [address] : [address, address6]
  return [
    `link add name ${hostLink} mtu ${mtu} type veth peer name ${containerLink} mtu ${mtu}`,
    `link set dev ${hostLink} addrgenmode none alias "${formatLinkAlias(alias)}" up`,
    ...nextHops(hostLink, gateways).map(addressLine),
    ...routed.map(
      (to) => `route add ${formatRoute({ kind: 'link', destination: hostCidr(to), link: hostLink })}`,
    ),
  ]
}

/** Removes the pair; its route and address go with it. */
export function planEndpointRemoval(hostLink: string): string[] {
  return [`link delete dev ${hostLink}`]
}
