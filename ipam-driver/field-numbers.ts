/**
 * The numbers of tenants and segments, which are bits of addresses. Who needs one gets the lowest free number. A number
 * that is given back rests, so that what is still on its way to the old owner does not reach a stranger; when nothing
 * else is left, the one that rests longest is taken.
 *
 * All hosts share these records, so no clock of one host can say how long a number has rested. Revisions of the directory
 * say in which order numbers were given back, and each plugin counts from when it first saw a revision: never too short.
 */
import * as v from 'valibot'
import { firstNumber, lastNumber, type Plans } from '../address/address-plan.ts'
import { RomanaError } from '../errors.ts'
import { type FieldNumber, FieldNumberSchema, type Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, listStored, NumberRecord, type Stored } from '../store/records.ts'
import type { RevisionAge } from '../store/revision-age.ts'
import type { Change, Store } from '../store/store.ts'

/** How long a number rests, in milliseconds: longer than an address, since other hosts have to learn of it. */
export const NUMBER_REST_MS = 300_000

export interface NumberParts {
  readonly directory: Store
  /** The IPv4 one says which numbers there are: those of the other are as many or more. */
  readonly plans: Plans
  /** Of the directory, for {@link NUMBER_REST_MS}. */
  readonly age: RevisionAge
}

/** The numbers of the tenants, or those of the segments of one tenant. */
export interface NumberSpace {
  readonly field: 'tenant' | 'segment'
  /** Whose they are, for messages. */
  readonly owner: string
  readonly prefix: string
  readonly keyOf: (number: FieldNumber) => string
}

export const TENANT_NUMBERS: NumberSpace = {
  field: 'tenant',
  owner: 'the plan',
  prefix: directoryKeys.tenantNumbers(),
  keyOf: directoryKeys.tenantNumber,
}

export function segmentNumbers(tenant: Name): NumberSpace {
  return {
    field: 'segment',
    owner: `tenant "${tenant}"`,
    prefix: directoryKeys.segmentNumbers(tenant),
    keyOf: (number) => directoryKeys.segmentNumber(tenant, number),
  }
}

/** A number that can be taken. */
export interface FreeNumber {
  readonly number: FieldNumber
  /** What is recorded of it now. */
  readonly stored: Stored<NumberRecord> | undefined
}

type Known = ReadonlyMap<bigint, Stored<NumberRecord>>

/** @throws RomanaError E_TENANTS_FULL, E_STORE, E_RECORD */
export async function findFreeNumber(parts: NumberParts, space: NumberSpace): Promise<FreeNumber> {
  const known = await readNumbers(parts, space)
  const first = firstNumber(parts.plans.ipv4, space.field)
  const last = lastNumber(parts.plans.ipv4, space.field)
  for (let number = first; number <= last; number += 1n) {
    const stored = known.get(number)
    if (stored === undefined || isRested(parts, stored)) return free(number, stored)
  }
  const resting = [...known].filter(
    ([number, { record }]) => record.resting && number >= first && number <= last,
  )
  const [longest] = resting.sort(([, a], [, b]) => a.revision - b.revision)
  if (longest === undefined) throw fullError(space, last - first + 1n)
  return free(...longest)
}

/** A number that somebody asks for. */
export interface WantedNumber {
  readonly number: bigint
  readonly name: Name
  /** There are addresses of this name and number in use: then no rest counts. */
  readonly isAlive: boolean
}

/** Who had the number last gets it back at once. @throws RomanaError E_STORE, E_RECORD */
export async function findNumber(
  parts: NumberParts,
  space: NumberSpace,
  { number, name, isAlive }: WantedNumber,
): Promise<FreeNumber | { readonly because: string }> {
  const stored = (await readNumbers(parts, space)).get(number)
  if (stored === undefined || isRested(parts, stored)) return free(number, stored)
  const { resting, name: holder } = stored.record
  if (resting ? isAlive || holder === name : isAlive && holder === name) return free(number, stored)
  const what = `${space.field} number ${number} of ${space.owner}`
  return {
    because: resting
      ? `${what} was given back by "${holder}" and rests for some minutes`
      : `${what} belongs to "${holder}"`,
  }
}

/** The write that makes the number somebody's. It fails when somebody else was faster. */
export function takeNumber(space: NumberSpace, { number, stored }: FreeNumber, name: Name): Change {
  const key = space.keyOf(number)
  const value = formatRecord({ number, name, resting: false })
  return stored === undefined
    ? { kind: 'create', key, value }
    : { kind: 'swap', key, value, revision: stored.revision }
}

/** The write that gives the number back. It belongs into the transaction that removes who has it. */
export function returnNumber(space: NumberSpace, { number, name }: Omit<NumberRecord, 'resting'>): Change {
  return { kind: 'put', key: space.keyOf(number), value: formatRecord({ number, name, resting: true }) }
}

async function readNumbers({ directory, age }: NumberParts, { prefix }: NumberSpace): Promise<Known> {
  const { revision, stored } = await listStored(directory, NumberRecord, prefix)
  age.observe(revision)
  return new Map(stored.map((one) => [BigInt(one.record.number), one]))
}

function isRested({ age }: NumberParts, { record, revision }: Stored<NumberRecord>): boolean {
  return record.resting && age.isOld(revision)
}

function free(number: bigint, stored: Stored<NumberRecord> | undefined): FreeNumber {
  return { number: v.parse(FieldNumberSchema, Number(number)), stored }
}

function fullError({ field, owner }: NumberSpace, count: bigint): RomanaError {
  return new RomanaError('E_TENANTS_FULL', {
    cannot: `make another ${field}`,
    because: `all ${count} ${field} numbers of ${owner} are taken`,
    remedy: `Remove one that is not needed ("romana ${field} list" shows them${REMOVAL[field]}), or use a plan with more ${field} bits`,
  })
}

/** What else takes one away. */
const REMOVAL = {
  tenant: '',
  segment:
    '; one that was made for a network goes with it, and a network that Docker has lost with "romana network remove"',
} as const
