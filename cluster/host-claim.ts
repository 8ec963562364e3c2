/**
 * The number of a host. A machine keeps its number as long as it is the same machine; a copy of it, or a second machine with its
 * ids, is refused before it gets any address. Numbers of removed hosts rest, and are not freed by silence.
 */
import * as v from 'valibot'
import { type AddressPlan, firstNumber, lastNumber } from '../address/address-plan.ts'
import { RomanaError } from '../errors.ts'
import { HostRecord, type MembershipRecord, SessionRecord } from '../store/host-records.ts'
import { type HostNumber, HostNumberSchema } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  listStored,
  type PlanRecord,
  type Stored,
} from '../store/records.ts'
import type { RevisionAge } from '../store/revision-age.ts'
import type { Change, Store } from '../store/store.ts'
import { cloneError, copiedJournalError, describeHost, takenError } from './claim-errors.ts'
import { type Fingerprint, hasFingerprint, isSameMachine, type Machine } from './machine.ts'

/** How long the number of a removed host rests, in milliseconds: longer than any host may go on routing to it. */
export const HOST_REST_MS = 300_000

export interface ClaimParts {
  readonly directory: Store
  readonly plan: AddressPlan
  /** The record of the plan: it must be the same when the number is taken. */
  readonly recorded: Stored<PlanRecord>
  readonly machine: Machine
  /** Of this host's journal. */
  readonly instanceId: string
  /** The number that this host had, when it has networks of it: then no other will do. */
  readonly boundTo: HostNumber | undefined
  /** What the journal says that this host was; absent in a new one. */
  readonly before?: Pick<MembershipRecord, 'host' | keyof Fingerprint>
  /** Of the directory, for {@link HOST_REST_MS}. */
  readonly age: RevisionAge
}

/**
 * The number of this host, with its record up to date. Undefined: somebody else wrote the plan or the record meanwhile, begin anew.
 * @throws RomanaError E_HOST_CLONE, E_CLUSTER, E_NUMBER when all are taken, E_STORE
 */
export async function claimHost(parts: ClaimParts): Promise<HostNumber | undefined> {
  const { directory, age } = parts
  const { revision, stored: hosts } = await listStored(directory, HostRecord, directoryKeys.hosts())
  age.observe(revision)
  const own = findOwn(parts, hosts)
  if (own !== undefined) {
    await refuseIfLive(parts, own.record)
    await refuseSharedAddress(parts, hosts, own.record.number)
    return keepRecord(parts, own)
  }
  refuseCopiedJournal(parts)
  await refuseSharedAddress(parts, hosts)
  const number = parts.boundTo ?? lowestFree(parts, hosts)
  return takeNumber(parts, number, hosts)
}

type StoredHost = Stored<HostRecord>

/**
 * A plan that nobody used may have been changed for one in which the number has no place: then there is none.
 * @throws RomanaError E_HOST_CLONE when the record with this machine's ids is another machine's
 */
function findOwn(
  { plan, machine, instanceId }: ClaimParts,
  hosts: readonly StoredHost[],
): StoredHost | undefined {
  const claimed = hosts.filter(
    ({ record }) =>
      record.machineId === machine.machineId ||
      (record.instanceId !== '' && record.instanceId === instanceId),
  )
  for (const { record } of claimed) {
    if (!isSameMachine(record, machine) || isForAnotherId(record, machine)) throw cloneError(record)
  }
  const possible = claimed.filter(({ record }) => hasPlace(plan, record.number))
  return possible.find(({ record }) => record.machineId === machine.machineId) ?? possible[0]
}

/** A host of several that a person has accepted with other hardware: its machine id is all that tells who it is. */
function isForAnotherId(record: HostRecord, { machineId }: Machine): boolean {
  return record.underlay !== undefined && !hasFingerprint(record) && record.machineId !== machineId
}

/** The directory does not know this host, and so cannot tell that its disk is that of another machine. */
function refuseCopiedJournal({ before, machine }: ClaimParts): void {
  if (before !== undefined && !isSameMachine(before, machine)) throw copiedJournalError(before.host)
}

/** Its session is that of another journal: it runs, and this is a second one. Where it has just ended the session ends soon. */
async function refuseIfLive({ directory, instanceId }: ClaimParts, own: HostRecord): Promise<void> {
  const session = await getRecord(directory, SessionRecord, directoryKeys.session(own.number))
  if (session !== undefined && session.record.instanceId !== instanceId) throw cloneError(own)
}

/** Two hosts cannot be reached at one address. A host that is away may have left it to this one. */
async function refuseSharedAddress(
  { directory, machine }: ClaimParts,
  hosts: readonly StoredHost[],
  own?: HostNumber,
): Promise<void> {
  const { underlay } = machine
  if (underlay === undefined) return
  const sessions = await listRecords(directory, SessionRecord, directoryKeys.sessions())
  const other = hosts.find(
    ({ record }) =>
      !record.removed &&
      record.number !== own &&
      record.underlay?.address.equals(underlay.address) === true &&
      sessions.some(({ host }) => host === record.number),
  )
  if (other === undefined) return
  throw new RomanaError('E_CLUSTER', {
    cannot: 'join the cluster',
    because: `its address ${underlay.address} is that of ${describeHost(other.record)}`,
    remedy: 'Set ROMANA_UNDERLAY_ADDRESS to an address that this host alone has',
  })
}

/** Undefined: somebody else wrote the record meanwhile. */
async function keepRecord(
  parts: ClaimParts,
  { record, revision }: StoredHost,
): Promise<HostNumber | undefined> {
  const value = formatRecord(recordOf(parts, record.number))
  if (value === formatRecord(record)) return record.number
  const key = directoryKeys.host(record.number)
  const { committed } = await parts.directory.commit([
    { kind: 'swap', key, value, revision },
    samePlan(parts),
  ])
  return committed ? record.number : undefined
}

async function takeNumber(
  parts: ClaimParts,
  number: HostNumber,
  hosts: readonly StoredHost[],
): Promise<HostNumber | undefined> {
  const key = directoryKeys.host(number)
  const value = formatRecord(recordOf(parts, number))
  const present = hosts.find(({ record }) => record.number === number)
  if (present !== undefined && !present.record.removed) throw takenError(present.record)
  const { committed } = await parts.directory.commit([
    present === undefined
      ? { kind: 'create', key, value }
      : { kind: 'swap', key, value, revision: present.revision },
    samePlan(parts),
  ])
  return committed ? number : undefined
}

/**
 * The plan's record is in the transaction, unchanged: nobody may change it meanwhile, and of two hosts that come at once, copies of
 * one perhaps, the second must see the first.
 */
function samePlan({ recorded: { record, revision } }: ClaimParts): Change {
  return { kind: 'swap', key: directoryKeys.plan(), value: formatRecord(record), revision }
}

function recordOf({ machine, instanceId }: ClaimParts, number: HostNumber): HostRecord {
  const { machineId, name, productUuid, underlay } = machine
  return {
    number,
    machineId,
    name,
    instanceId,
    ...(productUuid === undefined ? {} : { productUuid }),
    linkAddresses: [...machine.linkAddresses].sort(),
    ...(underlay === undefined ? {} : { underlay }),
    removed: false,
  }
}

function hasPlace(plan: AddressPlan, number: HostNumber): boolean {
  return number >= firstNumber(plan, 'host') && number <= lastNumber(plan, 'host')
}

/** One that rests only where no other is left: then the one that rests longest. */
function lowestFree({ plan, age }: ClaimParts, hosts: readonly StoredHost[]): HostNumber {
  const known = new Map(hosts.map((host) => [BigInt(host.record.number), host]))
  const last = lastNumber(plan, 'host')
  for (let number = firstNumber(plan, 'host'); number <= last; number += 1n) {
    const host = known.get(number)
    if (host === undefined || (host.record.removed && age.isOld(host.revision)))
      return v.parse(HostNumberSchema, Number(number))
  }
  const [longest] = hosts
    .filter(({ record }) => record.removed && hasPlace(plan, record.number))
    .sort((a, b) => a.revision - b.revision)
  if (longest !== undefined) return longest.record.number
  throw new RomanaError('E_NUMBER', {
    cannot: 'give this host a number',
    because: `all ${known.size} host numbers of the plan ${plan.cidr} are taken`,
    remedy:
      'Remove a host that is gone ("romana host list", "romana host remove"), or use a plan with more host bits',
  })
}
