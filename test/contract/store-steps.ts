/** The words that the sentences of the contract are made of. */
import { test } from 'vitest'
import type { Change, Store, StoreEvent } from '../../store/store.ts'

/** An `it` whose tests each get an empty store of their own. */
export type StoreTest = ReturnType<typeof storeTest>

/** `open` makes an empty store; it is closed behind the test. */
export function storeTest(open: () => Promise<Store>) {
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern that this needs no other fixture
  return test.extend('store', async ({}, { onCleanup }) => {
    const store = await open()
    onCleanup(() => store.close())
    return store
  })
}

/** The signal of a watch that another thing ends. */
export const never = new AbortController().signal

/** Writes one entry and gives its revision. */
export async function put(store: Store, key: string, value: string): Promise<number> {
  const result = await store.commit([{ kind: 'put', key, value }])
  if (!result.committed) throw new Error(`A put has no condition, but ${result.conflicts} conflicted`)
  return result.revision
}

/** Changes that put "/n/0", "/n/1" and so on. */
export function manyPuts(count: number): Change[] {
  return Array.from({ length: count }, (_, number) => ({ kind: 'put', key: `/n/${number}`, value: 'x' }))
}

/** Puts "/n/0", "/n/1" and so on, one transaction each, in this order. */
export async function writeMany(store: Store, count: number): Promise<void> {
  for (const change of manyPuts(count)) await store.commit([change])
}

/** The first `count` events, fewer when the watch ends before. Then stops watching. */
export async function take(events: AsyncIterable<StoreEvent>, count: number): Promise<StoreEvent[]> {
  const taken: StoreEvent[] = []
  if (count === 0) return taken
  for await (const event of events) if (taken.push(event) === count) break
  return taken
}

/** "/a=1 /b=2" */
export async function textOfList(store: Store, prefix: string): Promise<string> {
  const { entries } = await store.list(prefix)
  return entries.map(({ key, value }) => `${key}=${value}`).join(' ')
}

/** "put /a=1, removed /a" */
export function textOfEvents(events: readonly StoreEvent[]): string {
  return events
    .map((event) => (event.kind === 'put' ? `put ${event.key}=${event.value}` : `removed ${event.key}`))
    .join(', ')
}
