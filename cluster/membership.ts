/**
 * How a host joins: it learns the plan and its number from the directory, and writes both into its journal. From then on it starts
 * while the directory is away, and asks again as soon as it answers.
 */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import { RomanaError } from '../errors.ts'
import { MembershipRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { formatRecord, getRecord } from '../store/records.ts'
import type { RevisionAge } from '../store/revision-age.ts'
import type { Store } from '../store/store.ts'
import { copiedJournalError } from './claim-errors.ts'
import { claimHost } from './host-claim.ts'
import { isSameMachine, type Machine } from './machine.ts'
import { checkPlanWish, ensurePlan, type PlanWish, plansOf } from './plan.ts'

export interface JoinParts {
  readonly directory: Store
  readonly journal: Store
  /** Whether the directory is one that several hosts share. */
  readonly isShared: boolean
  readonly machine: Machine
  readonly wish: PlanWish
  /** Judges a plan that is not in use. @throws RomanaError */
  readonly checkPlan: (plan: AddressPlan) => void
  /** 40 random bits: the first host of a cluster makes its IPv6 plan of them. */
  readonly globalId: bigint
  /** Of the directory, for {@link HOST_REST_MS}; the same for all attempts. */
  readonly age: RevisionAge
}

/** What a host is in its cluster. */
export interface Membership {
  readonly plans: Plans
  readonly host: HostNumber
  /** Made with the journal. */
  readonly instanceId: string
  /** Whether the directory has said so now. Otherwise the journal has, and the directory is away. */
  readonly isVerified: boolean
}

/**
 * @throws RomanaError E_HOST_CLONE, E_CLUSTER, E_PLAN_CHANGED, E_NUMBER and what `checkPlan` throws; E_STORE_AWAY and E_STORE_DENIED
 * when this host has never joined.
 */
export async function joinCluster(parts: JoinParts): Promise<Membership> {
  const known = await knownMembership(parts.journal)
  try {
    return await joinDirectory(parts, known)
  } catch (error) {
    if (known === undefined || !isOutOfReach(error)) throw error
    return joinFromJournal(parts, known, error)
  }
}

/** Whether what this host has in the kernel and the journal depends on its number. @throws RomanaError E_STORE */
export async function isBound(journal: Store): Promise<boolean> {
  const prefixes = [journalKeys.pools(), journalKeys.networks(), journalKeys.endpoints()]
  const listings = await Promise.all(prefixes.map((prefix) => journal.list(prefix)))
  return listings.some(({ entries }) => entries.length > 0)
}

async function knownMembership(journal: Store): Promise<MembershipRecord | undefined> {
  return (await getRecord(journal, MembershipRecord, journalKeys.membership()))?.record
}

async function joinDirectory(parts: JoinParts, known: MembershipRecord | undefined): Promise<Membership> {
  const { directory, journal, machine, wish, isShared, age, globalId } = parts
  const instanceId = known?.instanceId ?? crypto.randomUUID()
  const { machineId } = machine
  const check = parts.checkPlan
  const bound = known !== undefined && (await isBound(journal)) ? known : undefined
  const inUse = bound === undefined ? {} : { inUse: bound.plan }
  const plan = await ensurePlan({ directory, wish, check, machineId, instanceId, globalId, ...inUse })
  const plans = plansOf(plan.record)
  const boundTo = bound?.host
  const before = known === undefined ? {} : { before: known }
  const claim = { directory, plan: plans.ipv4, recorded: plan, machine, instanceId, boundTo, age }
  const host = await claimHost({ ...claim, ...before })
  if (host === undefined) return joinDirectory(parts, known)
  if (boundTo !== undefined && host !== boundTo) throw otherNumberError(boundTo, host)
  await remember(journal, { instanceId, host, plan: plan.record, ...fingerprintOf(machine), isShared })
  return { plans, host, instanceId, isVerified: true }
}

/** @throws RomanaError E_HOST_CLONE, E_PLAN_CHANGED, and `away` when the journal knows no shared directory */
function joinFromJournal(
  { machine, wish, isShared }: JoinParts,
  known: MembershipRecord,
  away: unknown,
): Membership {
  if (known.isShared !== isShared) throw away
  if (!isSameMachine(known, machine)) throw copiedJournalError(known.host, away)
  const plans = plansOf(checkPlanWish(wish, known.plan))
  return { plans, host: known.host, instanceId: known.instanceId, isVerified: false }
}

/** A single host's own store that fails is no directory that is away. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof RomanaError && ['E_STORE_AWAY', 'E_STORE_DENIED'].includes(error.code)
}

async function remember(journal: Store, record: MembershipRecord): Promise<void> {
  const key = journalKeys.membership()
  const value = formatRecord(record)
  if ((await journal.get(key))?.value !== value) await journal.commit([{ kind: 'put', key, value }])
}

function fingerprintOf({ productUuid, linkAddresses }: Machine) {
  return { ...(productUuid === undefined ? {} : { productUuid }), linkAddresses: [...linkAddresses].sort() }
}

function otherNumberError(had: HostNumber, has: HostNumber): RomanaError {
  return new RomanaError('E_CLUSTER', {
    cannot: 'join the cluster',
    because: `this host has networks with the addresses of host number ${had}, and is host ${has} there`,
    remedy: 'Remove its Romana networks (docker network rm) and /var/lib/romana',
  })
}
