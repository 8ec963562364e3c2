/** The contract of a store: `watch`. */
import { expect } from 'vitest'
import { HistoryLost, type StoreEvent } from '../../store/store.ts'
import { manyPuts, never, put, type StoreTest, take, textOfEvents, writeMany } from './store-steps.ts'

export function testWatches(it: StoreTest): void {
  it('tells what has happened since a revision, then what happens', async ({ store }) => {
    const { revision } = await store.list('')
    await put(store, '/a', '1')
    const watched = take(store.watch('/', revision, never), 3)
    await put(store, '/a', '2')
    await store.commit([{ kind: 'remove', key: '/a' }])
    expect(textOfEvents(await watched)).toBe('put /a=1, put /a=2, removed /a')
  })

  it('tells revisions, and the changes of a transaction in their order', async ({ store }) => {
    const { revision } = await store.list('')
    const first = await put(store, '/z', '0')
    const result = await store.commit([
      { kind: 'put', key: '/b', value: '1' },
      { kind: 'remove', key: '/z' },
      { kind: 'put', key: '/a', value: '2' },
    ])
    const events = await take(store.watch('/', revision, never), 4)
    expect(textOfEvents(events)).toBe('put /z=0, put /b=1, removed /z, put /a=2')
    expect(result).toEqual({ committed: true, revision: events[3]?.revision })
    expect(events.map((event) => event.revision > first)).toEqual([false, true, true, true])
  })

  it('tells nothing of other keys, of conflicts and of what changed nothing', async ({ store }) => {
    const { revision } = await store.list('')
    const watched = take(store.watch('/a/', revision, never), 1)
    await put(store, '/a', 'x')
    await store.commit([{ kind: 'swap', key: '/a/1', value: 'x', revision: 1 }])
    await store.commit([{ kind: 'remove', key: '/a/1' }])
    await put(store, '/a/1', 'end')
    expect(textOfEvents(await watched)).toBe('put /a/1=end')
  })

  it('that continues from a listing misses nothing and repeats nothing', async ({ store }) => {
    const writing = writeMany(store, 200)
    const { revision, entries } = await store.list('/n/')
    const watched = await take(store.watch('/n/', revision, never), 200 - entries.length)
    await writing
    const seen = [...entries, ...watched].map(({ key }) => key)
    expect(seen.toSorted()).toEqual(
      manyPuts(200)
        .map(({ key }) => key)
        .toSorted(),
    )
  })

  it('that is read slowly hinders no commit and misses nothing', async ({ store }) => {
    const { revision } = await store.list('')
    const events = store.watch('/n/', revision, never)[Symbol.asyncIterator]()
    await put(store, '/n/first', 'x')
    expect((await events.next()).value).toMatchObject({ key: '/n/first' })
    await writeMany(store, 300)
    const rest: unknown[] = []
    while (rest.length < 300) rest.push((await events.next()).value)
    expect(rest.at(-1)).toMatchObject({ key: '/n/299' })
    await events.return?.()
  })

  it('may be one of many', async ({ store }) => {
    const { revision } = await store.list('')
    const watched = Array.from({ length: 20 }, () => take(store.watch('/', revision, never), 2))
    await put(store, '/a', '1')
    await put(store, '/a', '2')
    const texts = new Set((await Promise.all(watched)).map(textOfEvents))
    expect([...texts]).toEqual(['put /a=1, put /a=2'])
  })

  it('ends when its signal aborts: waiting, in the middle, or before it begins', async ({ store }) => {
    const { revision } = await store.list('')
    const waiting = new AbortController()
    const ended = take(store.watch('/', revision, waiting.signal), 1)
    setTimeout(() => waiting.abort(), 20)
    expect(await ended).toEqual([])

    await writeMany(store, 3)
    const middle = new AbortController()
    const events: StoreEvent[] = []
    for await (const event of store.watch('/', revision, middle.signal)) {
      events.push(event)
      middle.abort()
    }
    expect(textOfEvents(events)).toBe('put /n/0=x')
    expect(await take(store.watch('/', revision, AbortSignal.abort()), 1)).toEqual([])
  })

  it('fails with HistoryLost at a revision that is still to come', async ({ store }) => {
    const { revision } = await store.list('')
    await expect(take(store.watch('/', revision + 1, never), 1)).rejects.toThrow(HistoryLost)
  })

  it('ends when the store closes', async ({ store }) => {
    const ended = take(store.watch('/', (await store.list('')).revision, never), 1)
    setTimeout(() => store.close(), 20)
    expect(await ended).toEqual([])
  })
}
