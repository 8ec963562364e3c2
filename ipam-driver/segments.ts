/**
 * Tenants and segments in the directory. Each has a name and, for good, a number that is bits of its addresses. Every
 * write is one transaction that holds the name and the number, so that no two names ever share a number.
 */
import * as v from 'valibot'
import { type AddressPlan, type Field, firstNumber, lastNumber } from '../address/address-plan.ts'
import { RomanaError } from '../errors.ts'
import { type FieldNumber, FieldNumberSchema, type Name, NameSchema } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, getRecord, SegmentRecord, TenantRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** What `docker network create` asked for. Absent numbers: the lowest free one. */
export interface SegmentWish {
  readonly tenant: Name
  /** Absent: a fresh segment that goes with its network. */
  readonly segment?: Name
  /** Numbers that a given subnet fixes. */
  readonly tenantNumber?: bigint
  readonly segmentNumber?: bigint
}

/** Other hosts write the same records: a lost race is tried again, this often. */
const ATTEMPTS = 50

/** @throws RomanaError E_NAME */
export function parseName(what: 'tenant' | 'segment', text: string): Name {
  const parsed = v.safeParse(NameSchema, text)
  if (parsed.success) return parsed.output
  throw new RomanaError('E_NAME', {
    cannot: `use "${text}" as the name of a ${what}`,
    because: `a name ${parsed.issues[0].message}`,
  })
}

/** Finds the segment, or makes it and its tenant. @throws RomanaError E_TENANTS_FULL, E_SUBNET, E_CONFLICT, E_STORE */
export async function ensureSegment(
  directory: Store,
  plan: AddressPlan,
  wish: SegmentWish,
): Promise<SegmentRecord> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await findSegment(directory, wish)
    if (found !== undefined) return found
    const made = (await makeTenant(directory, plan, wish)) && (await makeSegment(directory, plan, wish))
    if (made) return made
  }
  throw new RomanaError('E_CONFLICT', {
    cannot: `make segment "${wish.segment ?? '(new)'}" of tenant "${wish.tenant}"`,
    because: `other writers came first ${ATTEMPTS} times`,
    remedy: 'Try again',
  })
}

/** The segment with these numbers, whatever its name. @throws RomanaError E_STORE, E_RECORD */
export async function findSegmentByNumbers(
  directory: Store,
  numbers: { readonly tenant: bigint; readonly segment: bigint },
): Promise<SegmentRecord | undefined> {
  const tenant = await directory.get(directoryKeys.tenantNumber(fieldNumber(numbers.tenant)))
  if (tenant === undefined) return undefined
  const tenantName = v.parse(NameSchema, tenant.value)
  const segment = await directory.get(directoryKeys.segmentNumber(tenantName, fieldNumber(numbers.segment)))
  if (segment === undefined) return undefined
  return findSegment(directory, { tenant: tenantName, segment: v.parse(NameSchema, segment.value) })
}

/** Removes an automatic segment; a named one stays until a person removes it. @throws RomanaError E_STORE */
export async function releaseSegment(directory: Store, tenant: Name, segment: Name): Promise<void> {
  const found = await getRecord(directory, SegmentRecord, directoryKeys.segment(tenant, segment))
  if (found?.record.automatic !== true) return
  await directory.commit([
    { kind: 'remove', key: directoryKeys.segment(tenant, segment), revision: found.revision },
    { kind: 'remove', key: directoryKeys.segmentNumber(tenant, found.record.number) },
  ])
}

async function findSegment(
  directory: Store,
  { tenant, segment }: SegmentWish,
): Promise<SegmentRecord | undefined> {
  if (segment === undefined) return undefined
  return (await getRecord(directory, SegmentRecord, directoryKeys.segment(tenant, segment)))?.record
}

/** False: somebody else made it meanwhile, or took the number. */
async function makeTenant(directory: Store, plan: AddressPlan, wish: SegmentWish): Promise<boolean> {
  const { tenant } = wish
  const found = await getRecord(directory, TenantRecord, directoryKeys.tenant(tenant))
  if (found !== undefined) {
    checkNumber(`tenant "${tenant}"`, found.record.number, wish.tenantNumber)
    return true
  }
  const taken = await takenNumbers(directory, directoryKeys.tenantNumbers())
  const number = chooseNumber(plan, {
    field: 'tenant',
    taken,
    after: 0n,
    of: 'the plan',
    wanted: wish.tenantNumber,
  })
  const record: TenantRecord = { name: tenant, number, lastAutomatic: fieldNumber(0n) }
  const result = await directory.commit([
    { kind: 'create', key: directoryKeys.tenant(tenant), value: formatRecord(record) },
    { kind: 'create', key: directoryKeys.tenantNumber(number), value: tenant },
  ])
  return result.committed
}

/** Undefined: somebody else was faster. The tenant's record is in the transaction: it must not go meanwhile. */
async function makeSegment(
  directory: Store,
  plan: AddressPlan,
  wish: SegmentWish,
): Promise<SegmentRecord | undefined> {
  const tenantKey = directoryKeys.tenant(wish.tenant)
  const tenant = await getRecord(directory, TenantRecord, tenantKey)
  if (tenant === undefined) return undefined
  const automatic = wish.segment === undefined
  const taken = await takenNumbers(directory, directoryKeys.segmentNumbers(wish.tenant))
  const number = chooseNumber(plan, {
    field: 'segment',
    taken,
    after: automatic ? BigInt(tenant.record.lastAutomatic) : 0n,
    of: `tenant "${wish.tenant}"`,
    wanted: wish.segmentNumber,
  })
  const name = wish.segment ?? parseName('segment', `auto-${number}`)
  const record: SegmentRecord = {
    tenant: wish.tenant,
    tenantNumber: tenant.record.number,
    name,
    number,
    automatic,
  }
  const tenantAfter = automatic ? { ...tenant.record, lastAutomatic: number } : tenant.record
  const result = await directory.commit([
    { kind: 'swap', key: tenantKey, value: formatRecord(tenantAfter), revision: tenant.revision },
    { kind: 'create', key: directoryKeys.segment(wish.tenant, name), value: formatRecord(record) },
    { kind: 'create', key: directoryKeys.segmentNumber(wish.tenant, number), value: name },
  ])
  return result.committed ? record : undefined
}

/** The numbers are the last parts of the keys below `prefix`. */
async function takenNumbers(directory: Store, prefix: string): Promise<Set<bigint>> {
  const { entries } = await directory.list(prefix)
  return new Set(entries.map(({ key }) => BigInt(key.slice(prefix.length))))
}

interface NumberChoice {
  readonly field: Field & ('tenant' | 'segment')
  readonly taken: ReadonlySet<bigint>
  /** The search begins behind this number and goes round. */
  readonly after: bigint
  /** Whose numbers they are. */
  readonly of: string
  readonly wanted: bigint | undefined
}

/** The wanted number if it is free; otherwise the next free one. */
function chooseNumber(plan: AddressPlan, choice: NumberChoice): FieldNumber {
  const { field, taken, after, wanted } = choice
  const first = firstNumber(plan, field)
  const last = lastNumber(plan, field)
  if (wanted !== undefined) {
    if (taken.has(wanted)) throw numberTaken(choice, wanted)
    return fieldNumber(wanted)
  }
  const size = last - first + 1n
  const start = after < first ? 0n : after - first + 1n
  for (let step = 0n; step < size && step <= BigInt(taken.size); step += 1n) {
    const number = first + ((start + step) % size)
    if (!taken.has(number)) return fieldNumber(number)
  }
  throw new RomanaError('E_TENANTS_FULL', {
    cannot: `make another ${field}`,
    because: `all ${size} ${field} numbers of ${choice.of} are taken`,
    remedy: `Remove a ${field}, or use a plan with more ${field} bits`,
  })
}

function checkNumber(what: string, is: FieldNumber, wanted: bigint | undefined): void {
  if (wanted === undefined || BigInt(is) === wanted) return
  throw new RomanaError('E_SUBNET', {
    cannot: `use this subnet for ${what}`,
    because: `the bits of the subnet say number ${wanted}, and ${what} has number ${is}`,
  })
}

function numberTaken({ field, of }: NumberChoice, wanted: bigint): RomanaError {
  return new RomanaError('E_SUBNET', {
    cannot: `make a ${field} with the number ${wanted} that the subnet asks for`,
    because: `another ${field} of ${of} has this number`,
    remedy: 'Leave out --subnet, or use the name of that one',
  })
}

function fieldNumber(number: bigint): FieldNumber {
  return v.parse(FieldNumberSchema, Number(number))
}
