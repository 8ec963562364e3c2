/** The changes of one transaction: are they well-formed, do their conditions hold, what do they do. Pure. */
import { RomanaError } from '../errors.ts'
import { type Change, MAX_CHANGES, type StoreEvent } from './store.ts'

/** The revision of a key's entry, undefined when there is none. */
export type RevisionOf = (key: string) => number | undefined

/** @throws RomanaError E_STORE when the caller has made a transaction that no engine can carry out */
export function checkChanges(changes: readonly Change[]): void {
  if (changes.length > MAX_CHANGES) {
    throw changeError(`it has ${changes.length} changes and a transaction has ${MAX_CHANGES} at most`)
  }
  const keys = new Set<string>()
  for (const change of changes) {
    checkKey(change.key)
    if (keys.has(change.key)) throw changeError(`the key "${change.key}" occurs twice`)
    if ('value' in change && !change.value.isWellFormed()) {
      throw changeError(`the value of "${change.key}" has half a surrogate pair, which UTF-8 cannot express`)
    }
    keys.add(change.key)
  }
}

/** @throws RomanaError E_STORE when `key` cannot be the key of an entry */
export function checkKey(key: string): void {
  if (key === '')
    throw new RomanaError('E_STORE', { cannot: 'use the key ""', because: 'a key is not empty' })
  checkPrefix(key)
}

/** @throws RomanaError E_STORE when no key can begin with `prefix` */
export function checkPrefix(prefix: string): void {
  if (prefix.isWellFormed()) return
  throw new RomanaError('E_STORE', {
    cannot: `use the key ${JSON.stringify(prefix)}`,
    because: 'it has half a surrogate pair, which UTF-8 cannot express',
  })
}

/** The keys whose condition does not hold, in the order of the changes. */
export function conflictsOf(changes: readonly Change[], revisionOf: RevisionOf): readonly string[] {
  return changes.filter((change) => !holds(change, revisionOf)).map(({ key }) => key)
}

function holds(change: Change, revisionOf: RevisionOf): boolean {
  switch (change.kind) {
    case 'create':
      return revisionOf(change.key) === undefined
    case 'swap':
      return revisionOf(change.key) === change.revision
    case 'put':
      return true
    case 'remove':
      return change.revision === undefined || revisionOf(change.key) === change.revision
  }
}

/** What a transaction whose conditions hold does, as `revision`. Removing what is absent does nothing. */
export function eventsOf(
  changes: readonly Change[],
  revision: number,
  revisionOf: RevisionOf,
): readonly StoreEvent[] {
  return changes
    .filter(({ kind, key }) => kind !== 'remove' || revisionOf(key) !== undefined)
    .map((change) =>
      change.kind === 'remove'
        ? { kind: 'removed', key: change.key, revision }
        : { kind: 'put', key: change.key, value: change.value, revision },
    )
}

function changeError(because: string): RomanaError {
  return new RomanaError('E_STORE', { cannot: 'commit a transaction', because })
}
