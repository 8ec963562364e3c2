/** Where a plan collides with what a host has already, and a plan that does not. Pure. */
import { type AddressPlan, FIELDS, type Field, makePlan, type Widths } from './address-plan.ts'
import { Cidr } from './cidr.ts'
import { ADDRESS_BITS, type Family, Ip } from './ip.ts'

/** Private ranges, in the order of preference: RFC 1918 and 6598; RFC 4193. */
const PRIVATE_RANGES: Readonly<Record<Family, readonly Cidr[]>> = {
  4: ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'].map(Cidr.parse),
  6: ['fd00::/8'].map(Cidr.parse),
}

/** The order in which fields give up bits: a cluster knows how many hosts it will have, but not how many tenants or containers. */
const SHRINK_ORDER: readonly Field[] = ['host', 'segment', 'tenant', 'endpoint']

/**
 * Bits that no field is shrunk below, when the wanted plan has as many: 3 hosts, 3 tenants of 3 segments and 13
 * endpoints in a cell. They make a plan of a /22.
 */
const LEAST_WIDTHS: Widths = { host: 2, tenant: 2, segment: 2, endpoint: 4 }

/** What of `occupied` shares an address with the plan. Default routes (prefix length 0) share one with all: they do not count. */
export function overlaps(plan: AddressPlan, occupied: readonly Cidr[]): readonly Cidr[] {
  return occupied.filter((cidr) => isNoDefaultRoute(cidr) && cidr.overlaps(plan.cidr))
}

function isNoDefaultRoute(cidr: Cidr): boolean {
  return cidr.prefixLength > 0
}

/**
 * A plan that overlaps nothing of `occupied`: the wanted one when it is free; otherwise the largest free block of the
 * private ranges that is not larger than the wanted one, with the widths cut to fit. Undefined when no block is
 * free that holds a usable plan.
 */
export function freePlan(wanted: AddressPlan, occupied: readonly Cidr[]): AddressPlan | undefined {
  if (overlaps(wanted, occupied).length === 0) return wanted
  const obstacles = occupied.filter(isNoDefaultRoute)
  const { family, prefixLength } = wanted.cidr
  const longest = ADDRESS_BITS[family] - sumOf(leastWidths(wanted))
  for (let length = prefixLength; length <= longest; length++) {
    for (const range of PRIVATE_RANGES[family]) {
      const block = freeBlock(range, length, { near: wanted.cidr.network, obstacles })
      if (block !== undefined) return makePlan(block, shrink(wanted, length - prefixLength))
    }
  }
  return undefined
}

function leastWidths({ widths }: AddressPlan): Widths {
  const least = (field: Field) => Math.min(widths[field], LEAST_WIDTHS[field])
  return {
    host: least('host'),
    tenant: least('tenant'),
    segment: least('segment'),
    endpoint: least('endpoint'),
  }
}

function sumOf(widths: Widths): number {
  return FIELDS.reduce((bits, field) => bits + widths[field], 0)
}

/** The widths of the plan with `bits` fewer in all. */
function shrink(plan: AddressPlan, bits: number): Widths {
  const least = leastWidths(plan)
  const widths = { ...plan.widths }
  let left = bits
  for (const field of SHRINK_ORDER) {
    const cut = Math.min(left, widths[field] - least[field])
    widths[field] -= cut
    left -= cut
  }
  return widths
}

interface Search {
  /** Where to begin; the search goes round to the start of the range. */
  readonly near: Ip
  readonly obstacles: readonly Cidr[]
}

/** A block of this length inside `range` that meets no obstacle. */
function freeBlock(range: Cidr, length: number, { near, obstacles }: Search): Cidr | undefined {
  if (length < range.prefixLength) return undefined
  const first = Cidr.around(range.network, length)
  const nearest = range.contains(near) ? Cidr.around(near, length) : first
  return nextFree(nearest, range, obstacles) ?? nextFree(first, range, obstacles)
}

/** Goes from obstacle to obstacle, not from block to block: fd00::/8 has 2^40 blocks of /48. */
function nextFree(first: Cidr, range: Cidr, obstacles: readonly Cidr[]): Cidr | undefined {
  let block = first
  for (;;) {
    const obstacle = obstacles.find((cidr) => cidr.overlaps(block))
    if (obstacle === undefined) return block
    const larger = obstacle.prefixLength < block.prefixLength ? obstacle : block
    if (larger.last.value >= range.last.value) return undefined
    block = Cidr.of(Ip.of(range.family, larger.last.value + 1n), block.prefixLength)
  }
}
