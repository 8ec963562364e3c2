/** A store that is used only as long as something holds. */
import type { Store } from './store.ts'

/** @param check throws what every call of the store shall fail with. */
export function guardStore(store: Store, check: () => void): Store {
  return {
    async get(key) {
      check()
      return await store.get(key)
    },
    async list(prefix) {
      check()
      return await store.list(prefix)
    },
    async commit(changes) {
      check()
      return await store.commit(changes)
    },
    async *watch(prefix, afterRevision, signal) {
      check()
      yield* store.watch(prefix, afterRevision, signal)
    },
    close: () => store.close(),
  }
}
