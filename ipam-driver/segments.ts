/**
 * Segments in the directory. Each belongs to a tenant and has a name and, as long as it is there, a number that is bits of
 * its addresses. Every write is one transaction that holds the name and the number, so that no two names ever share one.
 */
import { RomanaError } from '../errors.ts'
import { HostRecord } from '../store/host-records.ts'
import { automaticName, isAutomaticName, type Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  SegmentHostRecord,
  SegmentRecord,
  type Stored,
  type TenantRecord,
} from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import { untilDone } from './attempts.ts'
import {
  type FreeNumber,
  findFreeNumber,
  type NumberParts,
  type NumberSpace,
  returnNumber,
  segmentNumbers,
  TENANT_NUMBERS,
  takeNumber,
} from './field-numbers.ts'
import { refuseIfInPolicy } from './policy-use.ts'
import { existsError, inUseError, unknownError } from './segment-errors.ts'
import { getTenant, makeTenant } from './tenants.ts'

/** Which tenant's, and its name. Without a name: an automatic one, made for one network. */
export interface SegmentWish {
  readonly tenant: Name
  readonly segment?: Name
}

/** The number for the new tenant or segment of this name; an automatic segment is named after its number. */
export type NumberOf = (space: NumberSpace, name: Name | undefined) => Promise<FreeNumber>

/** How a new segment comes about. */
export interface Making {
  readonly numberOf: NumberOf
  /** What else is written in the transaction that makes the segment. */
  readonly alsoWrite: (segment: Name) => readonly Change[]
}

/** Undefined when there is none. @throws RomanaError E_STORE, E_RECORD */
export function getSegment(
  directory: Store,
  tenant: Name,
  segment: Name,
): Promise<Stored<SegmentRecord> | undefined> {
  return getRecord(directory, SegmentRecord, directoryKeys.segment(tenant, segment))
}

/** In the order of their numbers. @throws RomanaError E_STORE, E_RECORD */
export async function listSegments(directory: Store): Promise<SegmentRecord[]> {
  const segments = await listRecords(directory, SegmentRecord, directoryKeys.allSegments())
  return segments.sort((a, b) => a.tenantNumber - b.tenantNumber || a.number - b.number)
}

/** Makes a segment, and its tenant where there is none. @throws RomanaError E_SEGMENT_EXISTS, E_NAME, E_TENANTS_FULL, E_CONFLICT, E_STORE */
export function addSegment(parts: NumberParts, tenant: Name, segment: Name): Promise<SegmentRecord> {
  const { directory } = parts
  const what = describe(tenant, segment)
  const numberOf: NumberOf = (space) => findFreeNumber(parts, space)
  return untilDone(`make ${what}`, async () => {
    if ((await getSegment(directory, tenant, segment)) !== undefined) throw existsError(what)
    return makeSegment(directory, { tenant, segment }, { numberOf, alsoWrite: () => [] })
  })
}

/**
 * One round: makes the tenant or, where that is there, the segment. Undefined: begin anew.
 * @throws RomanaError E_NAME, E_STORE, and what `numberOf` throws
 */
export async function makeSegment(
  directory: Store,
  { tenant, segment }: SegmentWish,
  making: Making,
): Promise<SegmentRecord | undefined> {
  if (segment !== undefined && isAutomaticName(segment)) throw automaticNameError(segment)
  const found = await getTenant(directory, tenant)
  if (found !== undefined) return makeSegmentOf(directory, found, segment, making)
  await makeTenant(directory, tenant, await making.numberOf(TENANT_NUMBERS, tenant))
  return undefined
}

/** The tenant's record is in the transaction, unchanged: it must not go meanwhile. */
async function makeSegmentOf(
  directory: Store,
  { record: tenant, revision }: Stored<TenantRecord>,
  wanted: Name | undefined,
  { numberOf, alsoWrite }: Making,
): Promise<SegmentRecord | undefined> {
  const space = segmentNumbers(tenant.name)
  const free = await numberOf(space, wanted)
  const name = wanted ?? automaticName(free.number)
  const record = { tenant: tenant.name, tenantNumber: tenant.number, name, number: free.number }
  const { committed } = await directory.commit([
    { kind: 'swap', key: directoryKeys.tenant(tenant.name), value: formatRecord(tenant), revision },
    { kind: 'create', key: directoryKeys.segment(tenant.name, name), value: formatRecord(record) },
    takeNumber(space, free, name),
    ...alsoWrite(name),
  ])
  return committed ? record : undefined
}

/** Removes a segment in which no host has a pool; its number rests. @throws RomanaError E_SEGMENT_UNKNOWN, E_SEGMENT_IN_USE, E_CONFLICT, E_STORE */
export async function removeSegment(directory: Store, tenant: Name, segment: Name): Promise<void> {
  const what = describe(tenant, segment)
  await untilDone(`remove ${what}`, async () => {
    const found = await getSegment(directory, tenant, segment)
    if (found === undefined) throw unknownError(what)
    await refuseIfUsed(directory, found.record)
    await refuseIfInPolicy(directory, what, { tenant, segment })
    return (await directory.commit(removal(found))).committed ? true : undefined
  })
}

/** A host that takes a pool writes the segment's record too, so the revision tells that none did meanwhile. */
export function removal({ record, revision }: Stored<SegmentRecord>): readonly Change[] {
  return [
    { kind: 'remove', key: directoryKeys.segment(record.tenant, record.name), revision },
    returnNumber(segmentNumbers(record.tenant), record),
  ]
}

async function refuseIfUsed(directory: Store, { tenant, name }: SegmentRecord): Promise<void> {
  const used = await listRecords(directory, SegmentHostRecord, directoryKeys.segmentHosts(tenant, name))
  if (used.length === 0) return
  const hosts = await listRecords(directory, HostRecord, directoryKeys.hosts())
  const nameOf = (number: number) => hosts.find((host) => host.number === number)?.name ?? 'unknown'
  throw inUseError(
    describe(tenant, name),
    `it has networks on ${used.map(({ host }) => `host ${host} (${nameOf(host)})`).join(', ')}`,
    'Remove them there first, with docker network rm',
  )
}

/** How messages call a segment. */
export function describe(tenant: Name, segment: Name): string {
  return `segment "${segment}" of tenant "${tenant}"`
}

function automaticNameError(segment: Name): RomanaError {
  return new RomanaError('E_NAME', {
    cannot: `make a segment of the name "${segment}"`,
    because: 'such names are for the segments of networks without options',
    remedy: 'Choose a name that does not read "auto-" and a number',
  })
}
