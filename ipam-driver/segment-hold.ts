/**
 * A host that has a pool in a segment holds it, by a record in the directory: the segment stays as long as one does. What a
 * host holds is never less than the pools of its journal; what is left over after a crash goes at the next start.
 */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cell as planCell } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { type HostNumber, isAutomaticName, type Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, type PoolRecord, type SegmentRecord, type Stored } from '../store/records.ts'
import { untilDone } from './attempts.ts'
import { findFreeNumber, type NumberParts } from './field-numbers.ts'
import { describe, getSegment, makeSegment, type NumberOf, type SegmentWish } from './segments.ts'
import { checkTenantNumber, parseSubnet, type Subnet, subnetError, subnetNumber } from './subnet.ts'
import { getTenant } from './tenants.ts'

export interface SegmentParts extends NumberParts {
  /** This host's number. */
  readonly host: HostNumber
  /** Whether a network may make the tenant and the segment that it names. */
  readonly mayCreate: boolean
}

/**
 * Finds the segment or makes it and its tenant, and records that this host has a pool in it. A subnet fixes the numbers
 * of what is made, and must be the cell of what is there.
 * @throws RomanaError E_SUBNET, E_SEGMENT_UNKNOWN, E_NAME, E_TENANTS_FULL, E_CONFLICT, E_STORE
 */
export function holdSegment(
  parts: SegmentParts,
  { tenant, segment }: SegmentWish,
  subnet?: Subnet,
): Promise<SegmentRecord> {
  const numberOf: NumberOf = (space, name) =>
    subnet === undefined || name === undefined
      ? findFreeNumber(parts, space)
      : subnetNumber(parts, space, { name, isAlive: false }, subnet)
  if (segment === undefined) {
    return untilDone('make a segment for a network', () => makeHeld(parts, { tenant }, numberOf))
  }
  return untilDone(`use ${describe(tenant, segment)}`, async () => {
    const found = await getSegment(parts.directory, tenant, segment)
    if (found !== undefined) {
      checkCell(parts, found.record, subnet)
      return holdFound(parts, found)
    }
    if (!parts.mayCreate) throw mayNotMake(tenant, segment)
    return makeHeld(parts, { tenant, segment }, numberOf, subnet)
  })
}

/**
 * Holds the segment of a pool that is in use, whatever the directory says: it may be older than the journal, or lost.
 * @throws RomanaError E_SUBNET when the numbers are somebody else's by now, E_CONFLICT, E_STORE
 */
export function holdAgain(
  parts: SegmentParts,
  { cell, tenant, segment }: PoolRecord,
): Promise<SegmentRecord> {
  const plan = planOf(parts.plans, cell.family) ?? parts.plans.ipv4
  const subnet = parseSubnet(plan, BigInt(parts.host), String(cell))
  const numberOf: NumberOf = (space, name) =>
    subnetNumber(parts, space, { name: name ?? segment, isAlive: true }, subnet)
  const wish = isAutomaticName(segment) ? { tenant } : { tenant, segment }
  return untilDone(`hold ${describe(tenant, segment)}`, async () => {
    const found = await getSegment(parts.directory, tenant, segment)
    if (found === undefined) return makeHeld(parts, wish, numberOf, subnet)
    checkCell(parts, found.record, subnet)
    return holdFound(parts, found)
  })
}

type SegmentNumbers = Pick<SegmentRecord, 'tenantNumber' | 'number'>

/** The cell of a segment on a host, in one family. */
export function cellOf(plan: AddressPlan, host: HostNumber, segment: SegmentNumbers): Cidr {
  const { tenantNumber, number } = segment
  return planCell(plan, BigInt(host), { tenant: BigInt(tenantNumber), segment: BigInt(number) })
}

function checkCell({ host }: SegmentParts, segment: SegmentRecord, subnet: Subnet | undefined): void {
  if (subnet === undefined) return
  const present = cellOf(subnet.plan, host, segment)
  if (subnet.cidr.equals(present)) return
  throw subnetError(subnet.cidr, `${describe(segment.tenant, segment.name)} has ${present} on this host`)
}

/** Nothing to write when the hold is there: calls for pools of this host take turns. */
async function holdFound(
  { directory, host }: SegmentParts,
  { record, revision }: Stored<SegmentRecord>,
): Promise<SegmentRecord | undefined> {
  const hold = holdOf(record.tenant, record.name, host)
  if ((await directory.get(hold.key)) !== undefined) return record
  const { committed } = await directory.commit([
    { kind: 'create', ...hold },
    {
      kind: 'swap',
      key: directoryKeys.segment(record.tenant, record.name),
      value: formatRecord(record),
      revision,
    },
  ])
  return committed ? record : undefined
}

async function makeHeld(
  parts: SegmentParts,
  wish: SegmentWish,
  numberOf: NumberOf,
  subnet?: Subnet,
): Promise<SegmentRecord | undefined> {
  const tenant = await getTenant(parts.directory, wish.tenant)
  if (tenant !== undefined && subnet !== undefined) checkTenantNumber(tenant.record, subnet)
  return makeSegment(parts.directory, wish, {
    numberOf,
    alsoWrite: (segment) => [{ kind: 'put', ...holdOf(wish.tenant, segment, parts.host) }],
  })
}

function holdOf(
  tenant: Name,
  segment: Name,
  host: HostNumber,
): { readonly key: string; readonly value: string } {
  return {
    key: directoryKeys.segmentHost(tenant, segment, host),
    value: formatRecord({ tenant, segment, host }),
  }
}

function mayNotMake(tenant: Name, segment: Name): RomanaError {
  return new RomanaError('E_SEGMENT_UNKNOWN', {
    cannot: `use ${describe(tenant, segment)}`,
    because: 'there is none, and ROMANA_CREATE_SEGMENTS=off keeps networks from making it',
    remedy: `Check the names or, as root: romana segment add ${tenant} ${segment}`,
  })
}
