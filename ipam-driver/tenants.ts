/** Tenants in the directory. Each has a name and, as long as it is there, a number that is bits of its addresses. */
import type { Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  listStored,
  NumberRecord,
  SegmentRecord,
  type Stored,
  TenantRecord,
} from '../store/records.ts'
import { type Change, MAX_CHANGES, type Store } from '../store/store.ts'
import { untilDone } from './attempts.ts'
import {
  type FreeNumber,
  findFreeNumber,
  type NumberParts,
  returnNumber,
  segmentNumbers,
  TENANT_NUMBERS,
  takeNumber,
} from './field-numbers.ts'
import { refuseIfInPolicy } from './policy-use.ts'
import { existsError, inUseError, unknownError } from './segment-errors.ts'

/** Undefined when there is none. @throws RomanaError E_STORE, E_RECORD */
export function getTenant(directory: Store, name: Name): Promise<Stored<TenantRecord> | undefined> {
  return getRecord(directory, TenantRecord, directoryKeys.tenant(name))
}

/** In the order of their numbers. @throws RomanaError E_STORE, E_RECORD */
export async function listTenants(directory: Store): Promise<TenantRecord[]> {
  const tenants = await listRecords(directory, TenantRecord, directoryKeys.tenants())
  return tenants.sort((a, b) => a.number - b.number)
}

/** Makes a tenant. @throws RomanaError E_SEGMENT_EXISTS, E_TENANTS_FULL, E_CONFLICT, E_STORE */
export function addTenant(parts: NumberParts, name: Name): Promise<TenantRecord> {
  return untilDone(`make tenant "${name}"`, async () => {
    if ((await getTenant(parts.directory, name)) !== undefined) throw existsError(`tenant "${name}"`)
    return makeTenant(parts.directory, name, await findFreeNumber(parts, TENANT_NUMBERS))
  })
}

/** Undefined: somebody else made it meanwhile, or took the number. @throws RomanaError E_STORE */
export async function makeTenant(
  directory: Store,
  name: Name,
  number: FreeNumber,
): Promise<TenantRecord | undefined> {
  const record: TenantRecord = { name, number: number.number }
  const { committed } = await directory.commit([
    { kind: 'create', key: directoryKeys.tenant(name), value: formatRecord(record) },
    takeNumber(TENANT_NUMBERS, number, name),
  ])
  return committed ? record : undefined
}

/** Removes a tenant without segments; its number rests. @throws RomanaError E_SEGMENT_UNKNOWN, E_SEGMENT_IN_USE, E_CONFLICT, E_STORE */
export async function removeTenant(directory: Store, name: Name): Promise<void> {
  await untilDone(`remove tenant "${name}"`, async () => {
    const found = await getTenant(directory, name)
    if (found === undefined) throw unknownError(`tenant "${name}"`)
    await refuseIfUsed(directory, name)
    await refuseIfInPolicy(directory, `tenant "${name}"`, { tenant: name })
    return (await commitRemoval(directory, found)) ? true : undefined
  })
}

async function refuseIfUsed(directory: Store, tenant: Name): Promise<void> {
  const segments = await listRecords(directory, SegmentRecord, directoryKeys.segments(tenant))
  if (segments.length === 0) return
  const names = segments.map(({ name }) => name)
  throw inUseError(
    `tenant "${tenant}"`,
    `it has segments: ${names.join(', ')}`,
    `Remove each of them first, as in: romana segment remove ${tenant} ${names[0]}`,
  )
}

/**
 * The tenant's record is in the transaction with its revision, and in that of everyone who makes a segment. Its segments'
 * numbers need not rest any more: the tenant's own does.
 */
async function commitRemoval(directory: Store, { record, revision }: Stored<TenantRecord>): Promise<boolean> {
  const removal: Change[] = [
    { kind: 'remove', key: directoryKeys.tenant(record.name), revision },
    returnNumber(TENANT_NUMBERS, record),
  ]
  const numbers = await forgetSegmentNumbers(directory, record.name)
  while (numbers.length + removal.length > MAX_CHANGES) {
    if (!(await directory.commit(numbers.splice(0, MAX_CHANGES))).committed) return false
  }
  return (await directory.commit([...numbers, ...removal])).committed
}

async function forgetSegmentNumbers(directory: Store, tenant: Name): Promise<Change[]> {
  const space = segmentNumbers(tenant)
  const { stored } = await listStored(directory, NumberRecord, space.prefix)
  return stored.map(({ record, revision }) => ({ kind: 'remove', key: space.keyOf(record.number), revision }))
}
