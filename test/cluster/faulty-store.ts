/** A directory that can be away, and tells what it was asked to write. */
import { RomanaError } from '../../errors.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'

export interface FaultyStore extends Store {
  isAway: boolean
  /** Sizes of the transactions. */
  readonly written: number[]
}

/** Over a store in memory, or over this one. */
export function makeFaultyStore(store: Store = openMemoryStore()): FaultyStore {
  const faulty: FaultyStore = {
    isAway: false,
    written: [],
    get: (key) => reach(() => store.get(key)),
    list: (prefix) => reach(() => store.list(prefix)),
    commit: (changes) =>
      reach(() => {
        faulty.written.push(changes.length)
        return store.commit(changes)
      }),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    close: () => store.close(),
  }
  function reach<T>(task: () => Promise<T>): Promise<T> {
    if (!faulty.isAway) return task()
    return Promise.reject(
      new RomanaError('E_STORE', { cannot: 'reach the directory', because: 'it is away' }),
    )
  }
  return faulty
}
