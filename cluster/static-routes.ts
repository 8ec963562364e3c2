/** What a router needs to know of the hosts: one route for each and family, which no container, segment or tenant changes. Pure. */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { hostPrefix } from '../address/prefixes.ts'
import type { HostRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'

export interface StaticRoute {
  readonly host: HostNumber
  readonly name: string
  /** All addresses of one family of the host's endpoints. */
  readonly prefix: Cidr
  /** The host's address on the underlay. */
  readonly via: Ip
}

/** By family and number. Hosts that were removed, and those without an address of the family on the underlay, have none. */
export function staticRoutes({ ipv4, ipv6 }: Plans, hosts: readonly HostRecord[]): StaticRoute[] {
  const present = hosts.filter(({ removed }) => !removed).sort((a, b) => a.number - b.number)
  return [
    ...present.flatMap((host) => routeTo(host, ipv4, host.underlay?.address)),
    ...present.flatMap((host) => routeTo(host, ipv6, host.underlay?.globalAddress6)),
  ]
}

function routeTo(
  { number, name }: HostRecord,
  plan: AddressPlan | undefined,
  via: Ip | undefined,
): StaticRoute[] {
  if (plan === undefined || via === undefined) return []
  return [{ host: number, name, prefix: hostPrefix(plan, BigInt(number)), via }]
}
