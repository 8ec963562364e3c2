import * as v from 'valibot'
import { describe, expect, it, onTestFinished } from 'vitest'
import { followRecords } from '../../store/follow.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { put } from '../contract/store-steps.ts'

const Named = v.object({ name: v.string() })

/** Follows "/n/" of a store whose calls can be made to fail; what was told, one line each. */
function follow(options: { relistMs?: number; keptRevisions?: number } = {}) {
  const inner = openMemoryStore(options.keptRevisions)
  const ending = new AbortController()
  const told: string[] = []
  const faults = { list: false, watchEnds: false, consumer: false }
  const watches: AbortController[] = []
  const store: Store = {
    ...bound(inner),
    async list(prefix) {
      if (faults.list) throw new Error('away')
      return await inner.list(prefix)
    },
    async *watch(prefix, afterRevision, signal) {
      const end = new AbortController()
      watches.push(end)
      yield* inner.watch(prefix, afterRevision, AbortSignal.any([signal, end.signal]))
      if (faults.watchEnds) throw new Error('broken')
    },
  }
  const done = followRecords({
    store,
    prefix: '/n/',
    schema: Named,
    relistMs: options.relistMs ?? 60_000,
    onRecords(records) {
      if (faults.consumer) throw new Error('cannot take it')
      told.push(
        records
          .map(({ name }) => name)
          .sort()
          .join(' '),
      )
    },
    onTrouble: (error) => told.push(`trouble: ${error instanceof Error ? error.message : error}`),
    onReach: () => void told.push('reached'),
    signal: ending.signal,
  })
  onTestFinished(async () => {
    ending.abort()
    await done
  })
  const write = (name: string) => put(inner, `/n/${name}`, JSON.stringify({ name }))
  return { inner, told, faults, watches, write, breakWatch: () => watches.at(-1)?.abort() }
}

function bound(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    commit: (changes) => store.commit(changes),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    close: () => store.close(),
  }
}

describe('followRecords()', () => {
  it('tells all records at first, and all of them whenever one changes', async () => {
    const { told, write, inner } = follow()
    await expect.poll(() => told).toEqual(['reached', ''])
    await write('a')
    await expect.poll(() => told).toEqual(['reached', '', 'a'])
    await write('b')
    await expect.poll(() => told).toEqual(['reached', '', 'a', 'a b'])
    await inner.commit([{ kind: 'remove', key: '/n/a' }])
    await expect.poll(() => told.at(-1)).toBe('b')
  })

  it('lists when a watch has broken, and tells what the watch did not', async () => {
    const { told, faults, write, breakWatch } = follow()
    await expect.poll(() => told.length).toBe(2)
    faults.watchEnds = true
    faults.list = true
    breakWatch()
    await expect.poll(() => told.at(-1)).toBe('trouble: broken')
    await write('unseen')
    faults.list = false
    await expect.poll(() => told.slice(3), { timeout: 3_000 }).toEqual(['reached', 'unseen'])
  })

  it('keeps what it told while the store is away, and says so once', async () => {
    const { told, faults, write, breakWatch } = follow()
    await write('a')
    await expect.poll(() => told.at(-1)).toBe('a')
    const before = told.length
    Object.assign(faults, { list: true, watchEnds: true })
    breakWatch()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(told.slice(before)).toEqual(['trouble: broken'])
  })

  it('lists when it is due, so that an event which was never told is seen', async () => {
    const { told, watches } = follow({ relistMs: 50 })
    await expect.poll(() => told.length).toBe(2)
    await expect.poll(() => watches.length).toBeGreaterThan(3)
    // Nothing has changed, so nothing is told again.
    expect(told).toEqual(['reached', ''])
  })

  it('lists when the history is lost', async () => {
    const { told, write } = follow({ keptRevisions: 2 })
    await expect.poll(() => told.length).toBe(2)
    for (const name of ['a', 'b', 'c', 'd', 'e']) await write(name)
    await expect.poll(() => told.at(-1)).toBe('a b c d e')
    expect(told.some((line) => line.startsWith('trouble'))).toBe(false)
  })

  it('tells again what could not be taken', async () => {
    const { told, faults, write } = follow()
    await expect.poll(() => told.length).toBe(2)
    faults.consumer = true
    await write('a')
    await expect.poll(() => told.at(-1)).toBe('trouble: cannot take it')
    faults.consumer = false
    await expect.poll(() => told.at(-1), { timeout: 3_000 }).toBe('a')
  })

  it('takes a record that cannot be read for trouble, never for one that is not there', async () => {
    const { told, inner, write } = follow()
    await write('a')
    await expect.poll(() => told.at(-1)).toBe('a')
    await put(inner, '/n/bad', '{}')
    await expect.poll(() => told.at(-1)).toMatch(/^trouble: Cannot read the record "\/n\/bad"/)
  })
})

it('followRecords() never tells half a transaction', async () => {
  const { told, inner, write } = follow()
  await write('a')
  await write('b')
  await expect.poll(() => told.at(-1)).toBe('a b')
  await inner.commit([
    { kind: 'remove', key: '/n/a' },
    { kind: 'remove', key: '/n/b' },
    { kind: 'put', key: '/n/c', value: '{"name":"c"}' },
  ])
  await expect.poll(() => told.slice(-2).join(', ')).toBe('a b, c')
})
