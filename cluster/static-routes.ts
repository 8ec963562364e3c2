/** What a router needs to know of the hosts: one route for each, which no container, segment or tenant changes. Pure. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { hostPrefix } from '../address/prefixes.ts'
import type { HostRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'

export interface StaticRoute {
  readonly host: HostNumber
  readonly name: string
  /** All addresses of the host's endpoints. */
  readonly prefix: Cidr
  /** The host's address on the underlay. */
  readonly via: Ip
}

/** By number. Hosts that were removed, and those whose underlay address is not known, have none. */
export function staticRoutes(plan: AddressPlan, hosts: readonly HostRecord[]): StaticRoute[] {
  return hosts
    .flatMap(({ number, name, underlay, removed }): StaticRoute[] =>
      removed || underlay === undefined
        ? []
        : [{ host: number, name, prefix: hostPrefix(plan, BigInt(number)), via: underlay.address }],
    )
    .sort((a, b) => a.host - b.host)
}
