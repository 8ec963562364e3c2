/** Which segment a pool is of: by its names, by the bits of a subnet, or a new one. A refused subnet says which one would do. */
import type { Cidr } from '../address/cidr.ts'
import { RomanaError } from '../errors.ts'
import type { SegmentRecord } from '../store/records.ts'
import { findFreeNumber, segmentNumbers, TENANT_NUMBERS } from './field-numbers.ts'
import { DEFAULT_NAME, type PoolWish } from './pool-wish.ts'
import { cellOf, holdSegment, type SegmentParts } from './segment-hold.ts'
import { getSegment, listSegments, type SegmentWish } from './segments.ts'
import { type Subnet, subnetError } from './subnet.ts'
import { getTenant } from './tenants.ts'

/**
 * Finds or makes the segment that is asked for, and holds it.
 * @throws RomanaError E_SUBNET, E_SEGMENT_UNKNOWN, E_NAME, E_TENANTS_FULL, E_CONFLICT, E_STORE
 */
export async function segmentOf(parts: SegmentParts, wish: PoolWish): Promise<SegmentRecord> {
  const { subnet, range } = wish
  try {
    if (subnet?.problem !== undefined) throw subnetError(subnet.cidr, subnet.problem)
    if (range?.problem !== undefined) throw await rangeError(parts, wish, range.cidr, range.problem)
    if (wish.segment !== undefined) return await holdSegment(parts, wish.segment, subnet)
    const { tenant, name } = await segmentOfSubnet(parts, wish.subnet)
    return await holdSegment(parts, { tenant, segment: name }, subnet)
  } catch (error) {
    throw await withRemedy(parts, wish, error)
  }
}

async function segmentOfSubnet(parts: SegmentParts, subnet: Subnet): Promise<SegmentRecord> {
  const found = await findByNumbers(parts, subnet)
  if (found !== undefined) return found
  const { tenant, segment } = { ...subnet.numbers }
  throw subnetError(subnet.cidr, `no segment has tenant number ${tenant} and segment number ${segment}`)
}

async function findByNumbers(
  { directory }: SegmentParts,
  { numbers }: Subnet,
): Promise<SegmentRecord | undefined> {
  const segments = await listSegments(directory)
  return segments.find(
    ({ tenantNumber, number }) =>
      BigInt(tenantNumber) === numbers?.tenant && BigInt(number) === numbers.segment,
  )
}

async function rangeError(
  parts: SegmentParts,
  wish: PoolWish,
  range: Cidr,
  because: string,
): Promise<RomanaError> {
  const remedy = await remedyFor(parts, wish, '--ip-range', (cell) => `choose it inside --subnet ${cell}`)
  return new RomanaError('E_SUBNET', { cannot: `use the range "${range}"`, because, remedy })
}

async function withRemedy(parts: SegmentParts, wish: PoolWish, error: unknown): Promise<unknown> {
  if (!(error instanceof RomanaError) || error.code !== 'E_SUBNET' || error.parts.remedy !== undefined)
    return error
  const remedy = await remedyFor(parts, wish, '--subnet', (cell) => `write --subnet ${cell}`)
  return new RomanaError(error.code, { ...error.parts, remedy })
}

/** @param instead of the option, where the segment is known. */
async function remedyFor(
  parts: SegmentParts,
  wish: PoolWish,
  option: string,
  instead: (cell: Cidr) => string,
): Promise<string> {
  const asked = await askedSegment(parts, wish)
  const segment = await presentOrNext(parts, asked)
  if (segment === undefined) return `Leave out ${option}: ${WHY}`
  const cell = cellOf(wish.plan, parts.host, segment)
  return asked.segment === undefined
    ? `Leave out ${option}, and the network has ${cell}, in a segment of its own; or name its segment with ${NAMES}`
    : `Leave out ${option}, or ${instead(cell)}: ${WHY}`
}

const WHY = 'tenant and segment say which addresses a network has'
const NAMES = '--ipam-opt tenant=NAME --ipam-opt segment=NAME'

/** What was named, by names or by the numbers in the subnet; otherwise a segment of its own. */
async function askedSegment(parts: SegmentParts, { segment, subnet }: PoolWish): Promise<SegmentWish> {
  if (segment !== undefined) return segment
  const found = subnet && (await findByNumbers(parts, subnet))
  return found === undefined ? { tenant: DEFAULT_NAME } : { tenant: found.tenant, segment: found.name }
}

/** The numbers that the segment has, or would have. Undefined: there is no room. */
async function presentOrNext(
  parts: SegmentParts,
  { tenant, segment }: SegmentWish,
): Promise<Pick<SegmentRecord, 'tenantNumber' | 'number'> | undefined> {
  const found = segment && (await getSegment(parts.directory, tenant, segment))
  if (found) return found.record
  const known = await getTenant(parts.directory, tenant)
  try {
    const tenantNumber = known?.record.number ?? (await findFreeNumber(parts, TENANT_NUMBERS)).number
    return { tenantNumber, number: (await findFreeNumber(parts, segmentNumbers(tenant))).number }
  } catch (error) {
    if (error instanceof RomanaError && error.code === 'E_TENANTS_FULL') return undefined
    throw error
  }
}
