/** The tables of an embedded store and every statement on them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import * as v from 'valibot'
import { storeError } from './embedded-errors.ts'
import { prefixEnd } from './embedded-prefix.ts'
import type { Tables } from './local-engine.ts'
import type { Entry, StoreEvent } from './store.ts'

/** Kept in the file as `PRAGMA user_version`. */
export const SCHEMA_VERSION = 1

/** An event without a value removed its key. Text compares by its UTF-8 bytes (collation BINARY, the default). */
export const SCHEMA = `
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (revision, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counter (revision INTEGER NOT NULL) STRICT;
  INSERT INTO counter VALUES (0)`

const EntryRow = v.object({ key: v.string(), value: v.string(), revision: v.number() })
const EventRow = v.object({ key: v.string(), value: v.nullable(v.string()), revision: v.number() })
const CounterRow = v.object({ revision: v.number() })
const OldestRow = v.object({ oldest: v.nullable(v.number()) })

/** The tables of an open database that has the {@link SCHEMA}. `path` is for messages only. */
export class SqliteTables implements Tables {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #keptRevisions: number
  readonly #statements: ReturnType<typeof prepareStatements>
  #revision: number

  /** Throws what SQLite throws: it is a part of opening the file. */
  constructor(path: string, database: DatabaseSync, keptRevisions: number) {
    this.#path = path
    this.#database = database
    this.#keptRevisions = keptRevisions
    this.#statements = prepareStatements(database)
    this.#revision = v.parse(CounterRow, this.#statements.revision.get()).revision
  }

  get revision(): number {
    return this.#revision
  }

  get oldestRevision(): number {
    const { oldest } = this.#try('read the history of', () =>
      v.parse(OldestRow, this.#statements.oldest.get()),
    )
    return oldest ?? this.#revision + 1
  }

  entry(key: string): Entry | undefined {
    return this.#try(`read "${key}" of`, () => {
      const row = this.#statements.entry.get(key)
      return row && v.parse(EntryRow, row)
    })
  }

  entries(prefix: string): readonly Entry[] {
    return this.#try(`list "${prefix}" of`, () =>
      this.#statements.entries.all(prefix, prefixEnd(prefix)).map((row) => v.parse(EntryRow, row)),
    )
  }

  events(prefix: string, after: number, through: number): readonly StoreEvent[] {
    return this.#try('read the history of', () =>
      this.#statements.events.all(after, through, prefix, prefixEnd(prefix)).map(readEvent),
    )
  }

  write(revision: number, events: readonly StoreEvent[]): void {
    this.#try('write to', () => {
      this.#statements.begin.run()
      try {
        this.#writeRows(revision, events)
        this.#statements.commit.run()
      } catch (error) {
        // SQLite has rolled some failures back itself, a full disk among them.
        if (this.#database.isTransaction) this.#statements.rollback.run()
        throw error
      }
    })
    this.#revision = revision
  }

  #writeRows(revision: number, events: readonly StoreEvent[]): void {
    const { put, remove, addEvent, setRevision, forget } = this.#statements
    for (const [position, event] of events.entries()) {
      if (event.kind === 'put') put.run(event.key, event.value, revision)
      else remove.run(event.key)
      addEvent.run(revision, position, event.key, event.kind === 'put' ? event.value : null)
    }
    setRevision.run(revision)
    forget.run(revision - this.#keptRevisions)
  }

  close(): void {
    this.#try('close', () => this.#database.close())
  }

  #try<T>(cannot: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeError(cannot, this.#path, error)
    }
  }
}

function readEvent(row: unknown): StoreEvent {
  const { key, value, revision } = v.parse(EventRow, row)
  return value === null ? { kind: 'removed', key, revision } : { kind: 'put', key, value, revision }
}

function prepareStatements(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => database.prepare(sql)
  return {
    begin: statement('BEGIN'),
    commit: statement('COMMIT'),
    rollback: statement('ROLLBACK'),
    revision: statement('SELECT revision FROM counter'),
    setRevision: statement('UPDATE counter SET revision = ?'),
    entry: statement('SELECT key, value, revision FROM entries WHERE key = ?'),
    entries: statement('SELECT key, value, revision FROM entries WHERE key >= ? AND key < ? ORDER BY key'),
    put: statement('INSERT OR REPLACE INTO entries (key, value, revision) VALUES (?, ?, ?)'),
    remove: statement('DELETE FROM entries WHERE key = ?'),
    addEvent: statement('INSERT INTO events (revision, position, key, value) VALUES (?, ?, ?, ?)'),
    forget: statement('DELETE FROM events WHERE revision <= ?'),
    oldest: statement('SELECT min(revision) AS oldest FROM events'),
    events: statement(`SELECT key, value, revision FROM events
      WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision, position`),
  }
}
