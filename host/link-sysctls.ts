/**
 * What the kernel itself keeps off on our host links, without a rule: it holds also while somebody has taken the rules away. The kernel
 * tells nobody when another program changes one.
 */
import { isSet, type Sysctl } from './host-files.ts'

/** Those of one host link (Documentation/networking/ip-sysctl.rst). */
export function linkSysctls(link: string): Sysctl[] {
  return [
    // A host that does not forward IPv6 would take a container for a router: a way out, an MTU, a prefix.
    { path: `ipv6/conf/${link}/accept_ra`, value: '0' },
    // The kernel remembers whoever asks for the gateway, 1024 at most for all links (net/core/neighbour.c): a container that asks
    // as many would keep the host from finding others. So it answers those only whose address is behind this very link.
    { path: `ipv4/conf/${link}/arp_filter`, value: '1' },
  ]
}

/** Those of these links that are not as {@link linkSysctls} says. */
export async function readStraySysctls(sysNetPath: string, links: readonly string[]): Promise<Sysctl[]> {
  const sysctls = links.flatMap(linkSysctls)
  const areSet = await Promise.all(sysctls.map((sysctl) => isSet(sysNetPath, sysctl)))
  return sysctls.filter((_, index) => areSet[index] === false)
}
