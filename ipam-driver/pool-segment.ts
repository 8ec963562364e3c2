/** Which segment a pool is of: by its names, by the bits of a subnet, or a new one. A refused subnet says which one would do. */
import type { Cidr } from '../address/cidr.ts'
import { RomanaError } from '../errors.ts'
import type { SegmentRecord } from '../store/records.ts'
import { findFreeNumber, segmentNumbers, TENANT_NUMBERS } from './field-numbers.ts'
import type { PoolWish } from './pool-wish.ts'
import { cellOf, holdSegment, type SegmentParts } from './segment-hold.ts'
import { getSegment, listSegments, type SegmentWish } from './segments.ts'
import { type Subnet, subnetError } from './subnet.ts'
import { getTenant } from './tenants.ts'

/**
 * Finds or makes the segment that is asked for, and holds it.
 * @throws RomanaError E_SUBNET, E_SEGMENT_UNKNOWN, E_NAME, E_TENANTS_FULL, E_CONFLICT, E_STORE
 */
export async function segmentOf(parts: SegmentParts, wish: PoolWish): Promise<SegmentRecord> {
  const { subnet } = wish
  try {
    if (subnet?.problem !== undefined) throw subnetError(subnet.cidr, subnet.problem)
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
  throw new RomanaError('E_SUBNET', {
    cannot: `use the subnet "${subnet.cidr}"`,
    because: `no segment has tenant number ${subnet.numbers?.tenant} and segment number ${subnet.numbers?.segment}`,
    remedy: 'Name the segment with --ipam-opt tenant=NAME --ipam-opt segment=NAME',
  })
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

async function withRemedy(parts: SegmentParts, wish: PoolWish, error: unknown): Promise<unknown> {
  if (!(error instanceof RomanaError) || error.code !== 'E_SUBNET' || error.parts.remedy !== undefined)
    return error
  const usual = await usualCell(parts, wish)
  const instead = usual === undefined ? '' : `, or write --subnet ${usual}`
  const remedy = `Leave out --subnet${instead}: tenant and segment say which addresses a network has`
  return new RomanaError(error.code, { ...error.parts, remedy })
}

/** The cell that the segment has on this host, or would have. Undefined: nobody knows which segment is meant, or there is no room. */
async function usualCell(parts: SegmentParts, wish: PoolWish): Promise<Cidr | undefined> {
  if (wish.segment === undefined) {
    const found = await findByNumbers(parts, wish.subnet)
    return found && cellOf(wish.plan, parts.host, found)
  }
  try {
    return cellOf(wish.plan, parts.host, await presentOrNext(parts, wish.segment))
  } catch (error) {
    if (error instanceof RomanaError && error.code === 'E_TENANTS_FULL') return undefined
    throw error
  }
}

async function presentOrNext(
  parts: SegmentParts,
  { tenant, segment }: SegmentWish,
): Promise<Pick<SegmentRecord, 'tenantNumber' | 'number'>> {
  const found = segment && (await getSegment(parts.directory, tenant, segment))
  if (found) return found.record
  const known = await getTenant(parts.directory, tenant)
  const tenantNumber = known?.record.number ?? (await findFreeNumber(parts, TENANT_NUMBERS)).number
  return { tenantNumber, number: (await findFreeNumber(parts, segmentNumbers(tenant))).number }
}
