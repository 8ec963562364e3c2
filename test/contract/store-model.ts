/** What the contract of a store means, in the simplest words: a map, a list of events, and text to compare. */
import * as fc from 'fast-check'
import type { Change, Entry, StoreEvent } from '../../store/store.ts'

/** The entries and events that a store must have after the same transactions. */
export class StoreModel {
  readonly entries = new Map<string, Entry>()
  readonly events: StoreEvent[] = []

  conflicts(changes: readonly Change[]): string[] {
    return changes.filter((change) => !this.#holds(change)).map(({ key }) => key)
  }

  #holds(change: Change): boolean {
    const revision = this.entries.get(change.key)?.revision
    if (change.kind === 'create') return revision === undefined
    return !('revision' in change) || change.revision === revision
  }

  /** Carries out changes without conflicts, and says whether there was something to do. */
  apply(changes: readonly Change[], revision: number): boolean {
    const before = this.events.length
    for (const change of changes) {
      const { key } = change
      if (change.kind !== 'remove') {
        this.entries.set(key, { key, value: change.value, revision })
        this.events.push({ kind: 'put', key, value: change.value, revision })
      } else if (this.entries.delete(key)) this.events.push({ kind: 'removed', key, revision })
    }
    return this.events.length > before
  }

  list(prefix: string): Entry[] {
    return [...this.entries.values()]
      .filter(({ key }) => hasBytePrefix(key, prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  }

  eventsOn(prefix: string): StoreEvent[] {
    return this.events.filter(({ key }) => hasBytePrefix(key, prefix))
  }
}

function hasBytePrefix(key: string, prefix: string): boolean {
  const bytes = Buffer.from(prefix)
  return Buffer.from(key).subarray(0, bytes.length).equals(bytes)
}

/** A change whose revision is not known before the transactions in front of it are carried out. */
export interface PlannedChange {
  readonly kind: 'create' | 'swap' | 'put' | 'remove' | 'remove revision'
  readonly key: string
  readonly value: string
  /** Ask for a revision that the entry does not have. */
  readonly stale: boolean
}

/** Puts the revision in that the entry has now. */
export function fillIn({ kind, key, value, stale }: PlannedChange, model: StoreModel): Change {
  const revision = (model.entries.get(key)?.revision ?? 1) + (stale ? 1 : 0)
  switch (kind) {
    case 'swap':
      return { kind, key, value, revision }
    case 'remove':
      return { kind, key }
    case 'remove revision':
      return { kind: 'remove', key, revision }
    default:
      return { kind, key, value }
  }
}

/** Characters that mean something to SQL, or lie where orders of bytes, of UTF-16 units and of code points differ. */
const CHARACTERS = ['a', '%', '_', '\u{d7ff}', '\u{e000}', '\u{1f600}', '\u{10ffff}']

const textOf = (minLength: number) =>
  fc
    .array(fc.constantFrom(...CHARACTERS), { minLength, maxLength: 2 })
    .map((characters) => characters.join(''))

/** Few enough keys that transactions meet. */
export const anyKey = textOf(1)

export const anyPrefix = textOf(0)

const anyChange: fc.Arbitrary<PlannedChange> = fc.record({
  kind: fc.constantFrom('create', 'swap', 'put', 'put', 'remove', 'remove revision'),
  key: anyKey,
  value: fc.string({ unit: 'binary', maxLength: 5 }),
  stale: fc.boolean(),
})

/** The changes of one transaction. */
export const anyTransaction = fc.uniqueArray(anyChange, { selector: ({ key }) => key, maxLength: 4 })
