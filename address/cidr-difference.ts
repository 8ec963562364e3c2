/** A network without parts of it. Pure. */
import { Cidr } from './cidr.ts'
import { ADDRESS_BITS, Ip } from './ip.ts'

/** The fewest networks that hold every address of `cidr` and none of `except`, from the lowest on. */
export function cidrDifference(cidr: Cidr, except: readonly Cidr[]): Cidr[] {
  const within = except.filter((other) => other.overlaps(cidr))
  if (within.length === 0) return [cidr]
  if (within.some((other) => other.prefixLength <= cidr.prefixLength)) return []
  return halvesOf(cidr).flatMap((half) => cidrDifference(half, within))
}

function halvesOf({ family, network, prefixLength }: Cidr): Cidr[] {
  const half = 1n << BigInt(ADDRESS_BITS[family] - prefixLength - 1)
  return [network.value, network.value + half].map((value) => Cidr.of(Ip.of(family, value), prefixLength + 1))
}
