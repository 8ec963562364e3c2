/**
 * Follows the records below a prefix. The listing is the truth and the watch a hint: there is a new listing at the start, whenever a
 * watch has ended, and every minute, so that what a watch did not tell is seen late and not never.
 */
import type { GenericSchema, InferOutput } from 'valibot'
import { parseRecord } from './records.ts'
import { type Entry, HistoryLost, type Store } from './store.ts'

export interface FollowParts<S extends GenericSchema<unknown, object>> {
  readonly store: Store
  readonly prefix: string
  readonly schema: S
  /** Told all records: at the first listing, and whenever one has changed. It is waited for; what it throws is trouble. */
  readonly onRecords: (records: readonly InferOutput<S>[]) => Promise<void> | void
  /** Told once when the store cannot be read any more. What was told before stays true as far as anybody knows. */
  readonly onTrouble: (error: unknown) => void
  /** Told when the store can be read, for the first time or again. */
  readonly onReach?: () => Promise<void> | void
  readonly signal: AbortSignal
  /** Milliseconds between two listings at most. */
  readonly relistMs?: number
}

const RELIST_MS = 60_000
/** Milliseconds in which the events of one transaction have come. */
const GATHER_MS = 20
/** Milliseconds before a store that gave trouble is read again: the first time, and each further time. */
const RETRY_MS = [250, 1_000, 2_000]

/** Resolves when `signal` aborts. */
export async function followRecords<S extends GenericSchema<unknown, object>>(
  parts: FollowParts<S>,
): Promise<void> {
  let known: Known | undefined
  let troubles = 0
  while (!parts.signal.aborted) {
    try {
      const listing = await parts.store.list(parts.prefix)
      if (troubles > 0 || known === undefined) await parts.onReach?.()
      const seen: Known = new Map(listing.entries.map((entry) => [entry.key, entry]))
      if (known === undefined || troubles > 0 || !isSame(known, seen)) await tell(parts, seen)
      known = seen
      troubles = 0
      await followWatch(parts, seen, listing.revision)
    } catch (error) {
      if (error instanceof HistoryLost) continue
      if (troubles === 0) parts.onTrouble(error)
      await pause(RETRY_MS[Math.min(troubles, RETRY_MS.length - 1)] ?? 0, parts.signal)
      troubles += 1
    }
  }
}

type Known = Map<string, Entry>

/** Until the next listing is due. */
async function followWatch<S extends GenericSchema<unknown, object>>(
  parts: FollowParts<S>,
  known: Known,
  afterRevision: number,
): Promise<void> {
  const { store, prefix, signal, relistMs = RELIST_MS } = parts
  const due = new AbortController()
  const timer = setTimeout(() => due.abort(), relistMs)
  const teller = new Teller(
    () => tell(parts, known),
    () => due.abort(),
  )
  try {
    for await (const event of store.watch(prefix, afterRevision, AbortSignal.any([signal, due.signal]))) {
      if (event.kind === 'put') known.set(event.key, event)
      else known.delete(event.key)
      teller.tellSoon()
    }
  } finally {
    clearTimeout(timer)
    await teller.end()
  }
}

/** Events of one transaction come one by one, and half a transaction must not be told: they are gathered for a moment. */
class Teller {
  readonly #tell: () => Promise<void>
  readonly #onFailure: () => void
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  constructor(tellNow: () => Promise<void>, onFailure: () => void) {
    this.#tell = tellNow
    this.#onFailure = onFailure
  }

  tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tellNow(), GATHER_MS)
  }

  /** What was to be told is told. @throws what telling threw */
  async end(): Promise<void> {
    if (this.#timer !== undefined) this.#tellNow()
    await this.#telling
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #tellNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#telling = this.#telling.then(this.#tell).catch((error: unknown) => {
      this.#failure ??= { error }
      this.#onFailure()
    })
  }
}

async function tell<S extends GenericSchema<unknown, object>>(
  { schema, onRecords }: FollowParts<S>,
  known: Known,
): Promise<void> {
  await onRecords([...known.values()].map((entry) => parseRecord(schema, entry)))
}

function isSame(a: Known, b: Known): boolean {
  return a.size === b.size && [...a].every(([key, { value }]) => b.get(key)?.value === value)
}

/** Ends early when `signal` aborts. */
function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, waitMs)
    signal.addEventListener('abort', end)
  })
}
