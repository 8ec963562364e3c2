/** The prefixes and masks that routes, pools and rules are made of. Pure. */
import { type AddressPlan, firstNumber } from './address-plan.ts'
import { Cidr } from './cidr.ts'
import { checkNumber, encodeAddress, fieldMask, shiftOf } from './codec.ts'
import { ADDRESS_BITS, Ip } from './ip.ts'

/** Which segment of which tenant. */
export interface SegmentNumbers {
  readonly tenant: bigint
  readonly segment: bigint
}

/** All addresses of one host: what the other hosts route to it. @throws RomanaError E_NUMBER */
export function hostPrefix(plan: AddressPlan, host: bigint): Cidr {
  checkNumber(plan, 'host', host)
  const network = Ip.of(plan.cidr.family, plan.cidr.network.value | (host << shiftOf(plan, 'host')))
  return Cidr.of(network, plan.cidr.prefixLength + plan.widths.host)
}

/** The addresses of one segment on one host: the pool of a Docker network. @throws RomanaError E_NUMBER */
export function cell(plan: AddressPlan, host: bigint, { tenant, segment }: SegmentNumbers): Cidr {
  const network = encodeAddress(plan, { host, tenant, segment, endpoint: 0n })
  return Cidr.of(network, ADDRESS_BITS[plan.cidr.family] - plan.widths.endpoint)
}

/** The cell that holds `address`. */
export function cellAround(plan: AddressPlan, address: Ip): Cidr {
  return Cidr.around(address, ADDRESS_BITS[plan.cidr.family] - plan.widths.endpoint)
}

/** The cell of the same tenant and segment on another host. @throws RomanaError E_NUMBER */
export function cellOnHost(plan: AddressPlan, { network, prefixLength }: Cidr, host: bigint): Cidr {
  const { value } = hostPrefix(plan, host).network
  const numbers = network.value & segmentMask(plan)
  return Cidr.of(Ip.of(network.family, value | numbers), prefixLength)
}

/** The next hop of a cell's endpoints: its first address. */
export function gatewayOf(cellCidr: Cidr): Ip {
  return Ip.of(cellCidr.family, cellCidr.network.value + 1n)
}

/** The endpoint addresses of a cell, both ends included: all but network, gateway and last address. */
export function endpointRange(cellCidr: Cidr): { readonly first: Ip; readonly last: Ip } {
  return {
    first: Ip.of(cellCidr.family, cellCidr.network.value + 2n),
    last: Ip.of(cellCidr.family, cellCidr.last.value - 1n),
  }
}

/** The bits that two addresses of one segment share: the plan's prefix, tenant and segment. 0xff00ff00 for the default plan. */
export function segmentMask(plan: AddressPlan): bigint {
  const allBits = (1n << BigInt(ADDRESS_BITS[plan.cidr.family])) - 1n
  return allBits ^ (fieldMask(plan, 'host') | fieldMask(plan, 'endpoint'))
}

/** The bits that two addresses of one tenant share: the plan's prefix and tenant. 0xff00f000 for the default plan. */
export function tenantMask(plan: AddressPlan): bigint {
  return segmentMask(plan) ^ fieldMask(plan, 'segment')
}

/** Whether two addresses belong to one segment of the plan. */
export function sameSegment(plan: AddressPlan, a: Ip, b: Ip): boolean {
  return plan.cidr.contains(a) && plan.cidr.contains(b) && ((a.value ^ b.value) & segmentMask(plan)) === 0n
}

/** The number of the first host of a plan: 1, or 0 when the plan has no host bits. */
export function firstHost(plan: AddressPlan): bigint {
  return firstNumber(plan, 'host')
}
