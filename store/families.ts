/** What networks and endpoints have of each family, where it does not matter which one it is. Pure. */
import type { Family, Ip } from '../address/ip.ts'
import type { EndpointRecord, NetworkPool, NetworkRecord } from './records.ts'

/** One pool, or an IPv4 and an IPv6 one. */
export function poolsOf({ cell, gateway, auxiliary, pool6 }: NetworkRecord): NetworkPool[] {
  const first = { cell, gateway, auxiliary }
  return pool6 === undefined ? [first] : [first, pool6]
}

/** One address, or an IPv4 and an IPv6 one. */
export function addressesOf({ address, address6 }: Pick<EndpointRecord, 'address' | 'address6'>): Ip[] {
  return address6 === undefined ? [address] : [address, address6]
}

/** Where a published port leads: the address of the family of the host's, or the only one. */
export function addressFor(family: Family, endpoint: Pick<EndpointRecord, 'address' | 'address6'>): Ip {
  return addressesOf(endpoint).find((address) => address.family === family) ?? endpoint.address
}
