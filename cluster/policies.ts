/** Policies in the directory: from a document that somebody wrote to records that every host follows. */
import { RomanaError } from '../errors.ts'
import type { PolicyName } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { type PolicyParty, PolicyRecord } from '../store/policy-records.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  listStored,
  SegmentRecord,
  type Stored,
  TenantRecord,
} from '../store/records.ts'
import { type Change, MAX_CHANGES, type Store } from '../store/store.ts'
import { type DocumentPolicy, parsePolicies } from './policy-document.ts'
import { numberPolicies } from './policy-numbers.ts'

/** What a document comes to: names, in its order. */
export interface Applied {
  readonly created: readonly string[]
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
}

/** By name. @throws RomanaError E_STORE, E_RECORD */
export function listPolicies(directory: Store): Promise<PolicyRecord[]> {
  return listRecords(directory, PolicyRecord, directoryKeys.policies())
}

/** @throws RomanaError E_POLICY_UNKNOWN, E_STORE, E_RECORD */
export async function getPolicy(directory: Store, name: PolicyName): Promise<Stored<PolicyRecord>> {
  const found = await getRecord(directory, PolicyRecord, directoryKeys.policy(name))
  if (found !== undefined) return found
  throw new RomanaError('E_POLICY_UNKNOWN', {
    cannot: `find the policy "${name}"`,
    because: 'there is none of this name',
    remedy: 'The names are in: romana policy list',
  })
}

/** Of several who remove it at once one does. @throws RomanaError E_POLICY_UNKNOWN, E_STORE, E_RECORD */
export async function removePolicy(directory: Store, name: PolicyName): Promise<void> {
  await getPolicy(directory, name)
  await directory.commit([{ kind: 'remove', key: directoryKeys.policy(name) }])
}

/** The document is good: what applying it would do now. @throws RomanaError E_POLICY, E_STORE, E_RECORD */
export async function checkPolicies(directory: Store, document: unknown): Promise<Applied> {
  return (await prepare(directory, parsePolicies(document))).applied
}

/** So often others may be faster. */
const ATTEMPTS = 10

/**
 * Makes and replaces the policies of the document, all or, when these are very many, some dozens at a time. Others stay.
 * @throws RomanaError E_POLICY, E_CONFLICT, E_STORE, E_RECORD
 */
export async function applyPolicies(directory: Store, document: unknown): Promise<Applied> {
  const policies = parsePolicies(document)
  const { applied } = await prepare(directory, policies)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { transactions } = await prepare(directory, policies)
    if (await commitAll(directory, transactions)) return applied
  }
  throw new RomanaError('E_CONFLICT', {
    cannot: 'apply the policies',
    because: 'others kept changing the tenants and segments that they name',
    remedy: 'Repeat the command',
  })
}

async function commitAll(directory: Store, transactions: readonly Change[][]): Promise<boolean> {
  for (const changes of transactions) {
    if (!(await directory.commit(changes)).committed) return false
  }
  return true
}

interface Prepared {
  readonly applied: Applied
  readonly transactions: readonly Change[][]
}

async function prepare(directory: Store, policies: readonly DocumentPolicy[]): Promise<Prepared> {
  const [tenants, segments, present] = await Promise.all([
    listStored(directory, TenantRecord, directoryKeys.tenants()),
    listStored(directory, SegmentRecord, directoryKeys.allSegments()),
    listPolicies(directory),
  ])
  const records = numberPolicies(policies, {
    tenants: tenants.stored.map(({ record }) => record),
    segments: segments.stored.map(({ record }) => record),
  })
  const texts = new Map(present.map((policy) => [policy.name, formatRecord(policy)]))
  const changed = records.filter((policy) => texts.get(policy.name) !== formatRecord(policy))
  const names = (some: readonly PolicyRecord[]) => some.map(({ name }) => name)
  return {
    applied: {
      created: names(changed.filter(({ name }) => !texts.has(name))),
      changed: names(changed.filter(({ name }) => texts.has(name))),
      unchanged: names(records.filter((policy) => !changed.includes(policy))),
    },
    transactions: transactionsOf(changed, guardsOf(tenants.stored, segments.stored)),
  }
}

type Guards = ReadonlyMap<string, Change>

/**
 * Written unchanged together with the policies that name them: who removes a tenant or segment at the same moment looks for such
 * policies first, and then finds another revision.
 */
function guardsOf(
  tenants: readonly Stored<TenantRecord>[],
  segments: readonly Stored<SegmentRecord>[],
): Guards {
  const guard = (key: string, { record, revision }: Stored<object>): [string, Change] => [
    key,
    { kind: 'swap', key, value: formatRecord(record), revision },
  ]
  return new Map([
    ...tenants.map((stored) => guard(directoryKeys.tenant(stored.record.name), stored)),
    ...segments.map((stored) =>
      guard(directoryKeys.segment(stored.record.tenant, stored.record.name), stored),
    ),
  ])
}

/** As many policies together as one transaction can have. A tenant or segment is guarded once: its revision changes. */
function transactionsOf(policies: readonly PolicyRecord[], guards: Guards): Change[][] {
  const transactions: Map<string, Change>[] = []
  const guarded = new Set<string>()
  for (const policy of policies) {
    const changes = changesOf(policy, guards, guarded)
    const last = transactions.at(-1)
    const isRoom = last !== undefined && last.size + changes.length <= MAX_CHANGES
    const transaction = isRoom ? last : new Map<string, Change>()
    if (!isRoom) transactions.push(transaction)
    for (const change of changes) {
      transaction.set(change.key, change)
      guarded.add(change.key)
    }
  }
  return transactions.map((changes) => [...changes.values()])
}

function changesOf(policy: PolicyRecord, guards: Guards, guarded: ReadonlySet<string>): Change[] {
  const parties = [...policy.appliesTo, ...policy.peers.filter((peer) => peer.kind === 'party')]
  const keys = [...new Set(parties.map(keyOf))].filter((key) => !guarded.has(key))
  return [
    ...keys.flatMap((key) => guards.get(key) ?? []),
    { kind: 'put', key: directoryKeys.policy(policy.name), value: formatRecord(policy) },
  ]
}

function keyOf({ tenant, segment }: PolicyParty): string {
  return segment === undefined
    ? directoryKeys.tenant(tenant.name)
    : directoryKeys.segment(tenant.name, segment.name)
}
