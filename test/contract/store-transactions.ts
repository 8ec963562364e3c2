/** The contract of a store: `commit`. */
import { expect } from 'vitest'
import { compareAndSwap, create, MAX_CHANGES } from '../../store/store.ts'
import { manyPuts, put, type StoreTest, textOfList } from './store-steps.ts'

export function testTransactions(it: StoreTest): void {
  it('gives all its changes one revision, greater than every earlier one', async ({ store }) => {
    const earlier = await put(store, '/c', 'x')
    const result = await store.commit([
      { kind: 'create', key: '/a', value: '1' },
      { kind: 'put', key: '/b', value: '2' },
      { kind: 'swap', key: '/c', value: '3', revision: earlier },
    ])
    const { revision, entries } = await store.list('')
    expect(revision).toBeGreaterThan(earlier)
    expect(result).toEqual({ committed: true, revision })
    expect(entries.map((entry) => entry.revision)).toEqual([revision, revision, revision])
  })

  it('names every change whose condition does not hold, and writes none', async ({ store }) => {
    const old = await put(store, '/a', 'old')
    await put(store, '/a', 'new')
    const before = await store.list('')
    const result = await store.commit([
      { kind: 'put', key: '/free', value: 'x' },
      { kind: 'swap', key: '/a', value: 'x', revision: old },
      { kind: 'swap', key: '/absent', value: 'x', revision: old },
      { kind: 'remove', key: '/absent too', revision: old },
    ])
    expect(result).toEqual({ committed: false, conflicts: ['/a', '/absent', '/absent too'] })
    expect(await store.list('')).toEqual(before)
  })

  it('creates a key only once', async ({ store }) => {
    expect(await create(store, '/a', 'first')).toBe(true)
    expect(await create(store, '/a', 'second')).toBe(false)
    expect(await textOfList(store, '')).toBe('/a=first')
  })

  it('lets one of many creators of a key win', async ({ store }) => {
    const creators = Array.from({ length: 20 }, (_, number) => create(store, '/a', `${number}`))
    const won = (await Promise.all(creators)).flatMap((success, number) => (success ? [number] : []))
    expect(await textOfList(store, '')).toBe(`/a=${won.join(' and ')}`)
  })

  it('swaps only the revision that was read', async ({ store }) => {
    const revision = await put(store, '/a', 'read')
    const read = { key: '/a', value: 'written', revision }
    expect(await compareAndSwap(store, read)).toBe(true)
    expect(await compareAndSwap(store, { ...read, value: 'too late' })).toBe(false)
    expect(await textOfList(store, '')).toBe('/a=written')
  })

  it('does not swap a key that was removed and made again', async ({ store }) => {
    const revision = await put(store, '/a', 'x')
    await store.commit([{ kind: 'remove', key: '/a' }])
    await put(store, '/a', 'x')
    expect(await compareAndSwap(store, { key: '/a', value: 'y', revision })).toBe(false)
  })

  it('removes a key, with a revision only that one', async ({ store }) => {
    const revision = await put(store, '/a', 'x')
    const wrong = await store.commit([{ kind: 'remove', key: '/a', revision: revision + 1 }])
    expect(wrong).toEqual({ committed: false, conflicts: ['/a'] })
    const right = await store.commit([{ kind: 'remove', key: '/a', revision }])
    expect(right.committed).toBe(true)
    expect(await store.get('/a')).toBeUndefined()
  })

  it('that changes nothing succeeds and takes no revision', async ({ store }) => {
    const revision = await put(store, '/a', 'x')
    expect(await store.commit([])).toEqual({ committed: true, revision })
    expect(await store.commit([{ kind: 'remove', key: '/b' }])).toEqual({ committed: true, revision })
    expect((await store.list('')).revision).toBe(revision)
  })

  it('that writes the same value again takes a revision', async ({ store }) => {
    const revision = await put(store, '/a', 'x')
    expect(await put(store, '/a', 'x')).toBeGreaterThan(revision)
  })

  it('is refused when a key occurs twice', async ({ store }) => {
    const twice = store.commit([
      { kind: 'put', key: '/a', value: 'x' },
      { kind: 'remove', key: '/a' },
    ])
    await expect(twice).rejects.toThrow('Cannot commit a transaction: the key "/a" occurs twice (E_STORE)')
    expect(await store.get('/a')).toBeUndefined()
  })

  it(`has up to ${MAX_CHANGES} changes`, async ({ store }) => {
    await store.commit(manyPuts(MAX_CHANGES))
    expect((await store.list('')).entries).toHaveLength(MAX_CHANGES)
    await expect(store.commit(manyPuts(MAX_CHANGES + 1))).rejects.toThrow(`has ${MAX_CHANGES + 1} changes`)
  })

  it('is refused when a key is empty, or key or value cannot be written in UTF-8', async ({ store }) => {
    await expect(put(store, '', 'x')).rejects.toThrow('a key is not empty (E_STORE)')
    await expect(put(store, '/\ud800', 'x')).rejects.toThrow('half a surrogate pair')
    await expect(put(store, '/a', '\ud800')).rejects.toThrow('half a surrogate pair')
    expect(await textOfList(store, '')).toBe('')
  })
}
