/** A store in memory, for tests. */
import { Engine, type Tables } from './local-engine.ts'
import type { Entry, Store, StoreEvent } from './store.ts'

/** An empty store that is gone when it is closed. `keptRevisions` bounds its history: older ones cannot be watched from. */
export function openMemoryStore(keptRevisions = 10_000): Store {
  return new Engine('the store in memory', new MemoryTables(keptRevisions))
}

class MemoryTables implements Tables {
  readonly #keptRevisions: number
  readonly #entries = new Map<string, Entry>()
  readonly #history: (readonly StoreEvent[])[] = []
  revision = 0

  constructor(keptRevisions: number) {
    this.#keptRevisions = keptRevisions
  }

  get oldestRevision(): number {
    return this.revision - this.#history.length + 1
  }

  entry(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  entries(prefix: string): readonly Entry[] {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix))
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  }

  write(revision: number, events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.kind === 'removed') this.#entries.delete(event.key)
      else this.#entries.set(event.key, { key: event.key, value: event.value, revision })
    }
    this.#history.push(events)
    if (this.#history.length > this.#keptRevisions) this.#history.shift()
    this.revision = revision
  }

  events(prefix: string, after: number, through: number): readonly StoreEvent[] {
    const oldest = this.oldestRevision
    const events = this.#history.slice(after + 1 - oldest, through + 1 - oldest).flat()
    return events.filter(({ key }) => key.startsWith(prefix))
  }

  close(): void {
    this.#entries.clear()
    this.#history.length = 0
  }
}
