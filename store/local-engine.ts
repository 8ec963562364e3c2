/**
 * What the two stores inside this process have in common: the checks, the conditions and the watches of the contract,
 * over {@link Tables} that only keep data. Every method does its work without a pause, so calls never mix.
 */
import { RomanaError } from '../errors.ts'
import { checkChanges, checkKey, checkPrefix, conflictsOf, eventsOf } from './changes.ts'
import { Doorbell } from './doorbell.ts'
import {
  type Change,
  type CommitResult,
  type Entry,
  HistoryLost,
  type Listing,
  type Store,
  type StoreEvent,
} from './store.ts'

/** Where an {@link Engine} keeps entries and history. Its methods throw RomanaError E_STORE. */
export interface Tables {
  /** The revision of the last transaction; 0 when there was none. */
  readonly revision: number
  /** The first revision whose events are kept; the next one to come when none are. */
  readonly oldestRevision: number
  entry(key: string): Entry | undefined
  /** By key in byte order. */
  entries(prefix: string): readonly Entry[]
  /** The events of one transaction, which has the next revision: all or none, on disk when this returns. */
  write(revision: number, events: readonly StoreEvent[]): void
  /** The events of the revisions `after` < revision <= `through`, in order. */
  events(prefix: string, after: number, through: number): readonly StoreEvent[]
  close(): void
}

/** How many revisions a watch reads at once: bounds its memory, whatever it has to catch up with. */
const REVISIONS_AT_ONCE = 256

/** A {@link Store} over tables of this process. `name` is how messages call it: `the store "/a/b.db"`. */
export class Engine implements Store {
  readonly #name: string
  readonly #tables: Tables
  readonly #changed = new Doorbell()
  #closed = false

  constructor(name: string, tables: Tables) {
    this.#name = name
    this.#tables = tables
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#checkOpen()
    checkKey(key)
    return this.#tables.entry(key)
  }

  async list(prefix: string): Promise<Listing> {
    this.#checkOpen()
    checkPrefix(prefix)
    return { revision: this.#tables.revision, entries: this.#tables.entries(prefix) }
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    this.#checkOpen()
    checkChanges(changes)
    const revisionOf = (key: string) => this.#tables.entry(key)?.revision
    const conflicts = conflictsOf(changes, revisionOf)
    if (conflicts.length > 0) return { committed: false, conflicts }
    return {
      committed: true,
      revision: this.#write(eventsOf(changes, this.#tables.revision + 1, revisionOf)),
    }
  }

  #write(events: readonly StoreEvent[]): number {
    if (events.length > 0) {
      this.#tables.write(this.#tables.revision + 1, events)
      this.#changed.ring()
    }
    return this.#tables.revision
  }

  /** Reads from the kept history only, also what is new: a slow consumer holds nothing but its place. */
  async *watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<StoreEvent> {
    this.#checkOpen()
    checkPrefix(prefix)
    let seen = afterRevision
    while (!this.#ended(signal)) {
      const through = Math.min(seen + REVISIONS_AT_ONCE, this.#tables.revision)
      for (const event of this.#eventsAfter(prefix, seen, through)) {
        yield event
        if (this.#ended(signal)) return
      }
      seen = through
      if (seen === this.#tables.revision) await this.#changed.rung(signal)
    }
  }

  #eventsAfter(prefix: string, after: number, through: number): readonly StoreEvent[] {
    if (after > this.#tables.revision || after + 1 < this.#tables.oldestRevision) throw new HistoryLost(after)
    return after === through ? [] : this.#tables.events(prefix, after, through)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#changed.ring()
    this.#tables.close()
  }

  #ended(signal: AbortSignal): boolean {
    return this.#closed || signal.aborted
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new RomanaError('E_STORE', { cannot: `use ${this.#name}`, because: 'it is closed' })
    }
  }
}
