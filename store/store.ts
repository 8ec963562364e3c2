/**
 * The contract of what outlives a restart. Three engines pass one suite (`test/contract/store.ts`): memory, for tests,
 * embedded, and etcd. The contract is etcd's: revisions that only grow, transactions that compare before they write.
 *
 * A key is a path such as "/endpoints/3fa4…", and not empty; a value is text. Both can be written in UTF-8: half a
 * surrogate pair is refused with E_STORE. Keys are spelled in `keys.ts` only.
 */
export interface Store {
  /** The entry of a key, or undefined when there is none. @throws RomanaError E_STORE */
  get(key: string): Promise<Entry | undefined>

  /** All entries whose key begins with `prefix`, by key in byte order, as of one revision. @throws RomanaError E_STORE */
  list(prefix: string): Promise<Listing>

  /**
   * One transaction: every change, or none when a condition of one does not hold. When the promise resolves the changes
   * are on disk. A key may occur once, and there are at most {@link MAX_CHANGES} changes. A transaction that changes
   * nothing succeeds at the present revision.
   * @throws RomanaError E_STORE, after which it is not known whether the changes are there: read before trying again
   */
  commit(changes: readonly Change[]): Promise<CommitResult>

  /**
   * Every event on keys that begin with `prefix` whose revision is greater than `afterRevision`, in order of revision and
   * within one in order of its changes, until `signal` aborts (then it ends without an error) or the store closes. A
   * consumer that asks for history that the engine no longer has (or never had: a revision still to come), or falls
   * behind it, gets a {@link HistoryLost} and must list again.
   * @throws HistoryLost
   * @throws RomanaError E_STORE
   */
  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<StoreEvent>

  /** Ends all watches and frees what the store holds. A second call does nothing; other calls fail with E_STORE. */
  close(): Promise<void>
}

/**
 * A stored value. `revision` is that of the transaction which wrote it: 1 or more, and greater than that of every earlier
 * transaction. Some may be missing, as etcd counts the writes of others too.
 */
export interface Entry {
  readonly key: string
  readonly value: string
  readonly revision: number
}

/** `revision` is that of the whole store at the time of reading: a watch that continues from it misses nothing. */
export interface Listing {
  readonly revision: number
  readonly entries: readonly Entry[]
}

/** One less than the limit of etcd (`--max-txn-ops`, 128 unless set): its engine adds one. Kept by every engine, so that none is found out late. */
export const MAX_CHANGES = 127

/** One write of a transaction with its condition. */
export type Change =
  /** The key must be absent. */
  | { readonly kind: 'create'; readonly key: string; readonly value: string }
  /** The entry must have this revision. */
  | { readonly kind: 'swap'; readonly key: string; readonly value: string; readonly revision: number }
  /** No condition. */
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  /** With `revision` the entry must have it; without, removing what is absent is well and makes no event. */
  | { readonly kind: 'remove'; readonly key: string; readonly revision?: number }

export type CommitResult =
  | { readonly committed: true; readonly revision: number }
  /** Nothing was written. `conflicts` are the keys whose condition did not hold. */
  | { readonly committed: false; readonly conflicts: readonly string[] }

export type StoreEvent =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly revision: number }
  | { readonly kind: 'removed'; readonly key: string; readonly revision: number }

/** The history a watch asked for is gone (compaction, another process). List, compare, watch from the listing's revision. */
export class HistoryLost extends Error {
  constructor(afterRevision: number) {
    super(`The store no longer has the events after revision ${afterRevision}`)
    this.name = 'HistoryLost'
  }
}

/** Writes a key that must be absent. False: it is there already, and nothing was written. */
export async function create(store: Store, key: string, value: string): Promise<boolean> {
  const result = await store.commit([{ kind: 'create', key, value }])
  return result.committed
}

/** Writes a key whose entry must still have `revision`. False: somebody else wrote it, and nothing was written. */
export async function compareAndSwap(store: Store, entry: Entry): Promise<boolean> {
  const result = await store.commit([{ kind: 'swap', ...entry }])
  return result.committed
}
