/** Which keys of a store change, through everything that ends a watch. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Store, StoreEvent } from '../store/store.ts'

export interface KeyWatcher {
  readonly onEvent: (event: StoreEvent) => void
  /** Events may have been missed: at the beginning, after the store was away, when its history is lost. What is there must be read. */
  readonly onGap: () => void
}

/** Milliseconds until a watch that ended begins anew. */
const RETRY_MS = 1_000

export interface KeyWatch {
  close(): Promise<void>
}

/** Tells of every event on keys that begin with `prefix`, until it is closed. */
export function watchKeys(store: Store, prefix: string, watcher: KeyWatcher, retryMs = RETRY_MS): KeyWatch {
  const stop = new AbortController()
  const ended = watchUntil(stop.signal, store, prefix, watcher, retryMs)
  return {
    async close() {
      stop.abort()
      await ended
    },
  }
}

async function watchUntil(
  signal: AbortSignal,
  store: Store,
  prefix: string,
  { onEvent, onGap }: KeyWatcher,
  retryMs: number,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { revision } = await store.list(prefix)
      if (signal.aborted) return
      onGap()
      for await (const event of store.watch(prefix, revision, signal)) onEvent(event)
    } catch {
      // Whoever reads the store in answer to the gap reports what is wrong with it.
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined)
  }
}
