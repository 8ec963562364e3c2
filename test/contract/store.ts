/** What every engine of the store must do. An engine's test file calls {@link testStore} and adds what is its own. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Change, HistoryLost, type Store } from '../../store/store.ts'
import { anyPrefix, anyTransaction, fillIn, StoreModel } from './store-model.ts'
import { testReading } from './store-reading.ts'
import { never, put, type StoreTest, storeTest, take, textOfEvents, writeMany } from './store-steps.ts'
import { testTransactions } from './store-transactions.ts'
import { testWatches } from './store-watches.ts'

export interface StoreUnderTest {
  readonly name: string
  /** Makes an empty store. The suite closes every one. */
  readonly open: () => Promise<Store>
  /** For an engine whose data outlives it: closes the store and opens the same data again. */
  readonly reopen?: (store: Store) => Promise<Store>
}

/** The suite of the contract `store/store.ts`. */
export function testStore({ name, open, reopen }: StoreUnderTest): void {
  const storeIt = storeTest(open)
  describe(`a store: ${name}`, () => {
    describe('reading', () => testReading(storeIt))
    describe('a transaction', () => testTransactions(storeIt))
    describe('a watch', () => testWatches(storeIt))
    describe('closing', () => testClosing(storeIt))
    if (reopen !== undefined) describe('opening again', () => testReopening(storeIt, reopen))
    testAgainstModel({ name, open, ...(reopen && { reopen }) })
  })
}

/** For the engines that bound their history by a number of revisions. */
export function testHistoryBound(open: (keptRevisions: number) => Promise<Store>): void {
  const storeIt = storeTest(() => open(5))
  describe('a bounded history', () => {
    storeIt('is all there up to its bound', async ({ store }) => {
      await writeMany(store, 8)
      const events = await take(store.watch('/', 3, never), 5)
      expect(textOfEvents(events)).toBe('put /n/3=x, put /n/4=x, put /n/5=x, put /n/6=x, put /n/7=x')
    })

    storeIt('is lost beyond, also to a watch of other keys', async ({ store }) => {
      await writeMany(store, 8)
      await expect(take(store.watch('/other/', 2, never), 1)).rejects.toThrow(new HistoryLost(2))
    })

    storeIt('is lost to a consumer that falls behind', async ({ store }) => {
      const events = store.watch('/', 0, never)[Symbol.asyncIterator]()
      await put(store, '/a', 'x')
      expect((await events.next()).value).toMatchObject({ key: '/a' })
      await writeMany(store, 6)
      await expect(events.next()).rejects.toThrow(new HistoryLost(1))
    })

    storeIt('is not lost to a consumer that keeps up, whatever its keys', async ({ store }) => {
      const watched = take(store.watch('/end', 0, never), 1)
      for (let round = 0; round < 4; round++) {
        await writeMany(store, 3)
        await new Promise(setImmediate)
      }
      await put(store, '/end', 'x')
      expect(textOfEvents(await watched)).toBe('put /end=x')
    })
  })
}

function testClosing(it: StoreTest): void {
  it('ends every watch', async ({ store }) => {
    const { revision } = await store.list('')
    const ended = Promise.all([1, 2].map(() => take(store.watch('/', revision, never), 1)))
    setTimeout(() => store.close(), 20)
    expect(await ended).toEqual([[], []])
  })

  it('refuses every later call but a second close', async ({ store }) => {
    await store.close()
    await store.close()
    const closed = /^Cannot use the store .*: it is closed \(E_STORE\)$/
    await expect(store.get('/a')).rejects.toThrow(closed)
    await expect(store.list('/')).rejects.toThrow(closed)
    await expect(store.commit([])).rejects.toThrow(closed)
    await expect(take(store.watch('/', 0, never), 1)).rejects.toThrow(closed)
  })
}

function testReopening(it: StoreTest, reopen: (store: Store) => Promise<Store>): void {
  it('finds the entries and the revision as they were', async ({ store, onTestFinished }) => {
    await writeMany(store, 3)
    await store.commit([{ kind: 'remove', key: '/n/1' }])
    const before = await store.list('')
    const again = await reopen(store)
    onTestFinished(() => again.close())
    expect(await again.list('')).toEqual(before)
    expect(await put(again, '/a', 'x')).toBeGreaterThan(before.revision)
  })

  it('resumes a watch where it was', async ({ store, onTestFinished }) => {
    const { revision } = await store.list('')
    const seen = await put(store, '/a', '1')
    await put(store, '/a', '2')
    const again = await reopen(store)
    onTestFinished(() => again.close())
    await put(again, '/a', '3')
    const all = 'put /a=1, put /a=2, put /a=3'
    expect(textOfEvents(await take(again.watch('/', revision, never), 3))).toBe(all)
    expect(textOfEvents(await take(again.watch('/', seen, never), 2))).toBe('put /a=2, put /a=3')
  })
}

function testAgainstModel({ open, reopen }: StoreUnderTest): void {
  const step = fc.oneof({ weight: 9, arbitrary: anyTransaction }, fc.constant('reopen' as const))
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), anyPrefix, async (steps, prefix) => {
    let store = await open()
    try {
      const model = new StoreModel()
      const { revision: start } = await store.list('')
      for (const changes of steps) {
        if (changes === 'reopen') store = (await reopen?.(store)) ?? store
        else
          await commitToBoth(
            store,
            model,
            changes.map((change) => fillIn(change, model)),
          )
        expect((await store.list(prefix)).entries).toEqual(model.list(prefix))
      }
      const events = model.eventsOn(prefix)
      expect(await take(store.watch(prefix, start, never), events.length)).toEqual(events)
    } finally {
      await store.close()
    }
  })
  it('does what the model does, whatever the transactions', { timeout: 30_000 }, () =>
    fc.assert(property, { numRuns: 60 }),
  )
}

async function commitToBoth(store: Store, model: StoreModel, changes: readonly Change[]): Promise<void> {
  const before = (await store.list('')).revision
  const conflicts = model.conflicts(changes)
  const result = await store.commit(changes)
  if (!result.committed) expect(result.conflicts).toEqual(conflicts)
  else {
    expect(conflicts).toEqual([])
    expect(result.revision > before).toBe(model.apply(changes, result.revision))
    expect((await store.list('')).revision).toBe(result.revision)
  }
}
