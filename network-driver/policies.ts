/** Policies of the cluster come to this host: into the journal, from which the rules are made. */
import { journalKeys } from '../store/keys.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import { formatRecord } from '../store/records.ts'
import { type Change, MAX_CHANGES, type Store } from '../store/store.ts'

/** Policies as they were and as they are, where these differ. */
export interface PolicyChange {
  readonly before: readonly PolicyRecord[]
  readonly after: readonly PolicyRecord[]
}

/** What differs between two sets. */
export function policyChange(before: readonly PolicyRecord[], after: readonly PolicyRecord[]): PolicyChange {
  const without = (some: readonly PolicyRecord[], others: readonly PolicyRecord[]) => {
    const texts = new Set(others.map(formatRecord))
    return some.filter((policy) => !texts.has(formatRecord(policy)))
  }
  return { before: without(before, after), after: without(after, before) }
}

export function isNoChange({ before, after }: PolicyChange): boolean {
  return before.length === 0 && after.length === 0
}

/** @param policies all that there shall be. @throws RomanaError E_STORE */
export async function writePolicies(
  journal: Store,
  { before, after }: PolicyChange,
  policies: readonly PolicyRecord[],
): Promise<void> {
  const kept = new Map(policies.map((policy) => [policy.name, policy]))
  const names = new Set([...before, ...after].map(({ name }) => name))
  const changes = [...names].map((name): Change => {
    const policy = kept.get(name)
    const key = journalKeys.policy(name)
    return policy === undefined ? { kind: 'remove', key } : { kind: 'put', key, value: formatRecord(policy) }
  })
  while (changes.length > 0) await journal.commit(changes.splice(0, MAX_CHANGES))
}
