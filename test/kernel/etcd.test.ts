/** The store over a real etcd, of the oldest and of the newest release, passes the suite that every store passes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EtcdMember, etcdOf, startEtcdMember } from '../../lab/etcd-member.ts'
import { openEtcdStore } from '../../store/etcd.ts'
import { HistoryLost } from '../../store/store.ts'
import { testStore } from '../contract/store.ts'
import { never, put, take, textOfEvents, textOfList, writeMany } from '../contract/store-steps.ts'

describe.each([
  { release: 'bookworm', version: /^3\.4\./ },
  { release: 'sid', version: /^3\.[5-9]\./ },
] as const)('the etcd of Debian $release', ({ release, version }) => {
  let etcd: EtcdMember
  let stores = 0

  beforeAll(async () => {
    etcd = await startEtcdMember(await etcdOf(release))
  })
  afterAll(() => etcd?.[Symbol.asyncDispose]())

  function open(prefix = `/romana-${++stores}`, owner = 'h1') {
    return openEtcdStore({ endpoints: [etcd.endpoint], prefix, owner })
  }

  testStore({ name: 'etcd', open: async () => open() })

  it('is of the release that is meant', () => {
    expect(etcd.version).toMatch(version)
  })

  it('shares its entries with every other store of its prefix', async () => {
    const [here, there] = [open('/shared', 'h1'), open('/shared', 'h2')]
    const { revision } = await there.list('')
    const watched = take(there.watch('/', revision, never), 1)
    await put(here, '/a', '1')
    expect(textOfEvents(await watched)).toBe('put /a=1')
    expect(await textOfList(there, '')).toBe('/a=1')
    await Promise.all([here.close(), there.close()])
  })

  it('lists thousands of entries as of one revision', async () => {
    const store = open()
    const key = (number: number) => `/n/${String(number).padStart(5, '0')}`
    for (let from = 0; from < 2_500; from += 125) {
      const numbers = Array.from({ length: 125 }, (_, index) => from + index)
      await store.commit(numbers.map((number) => ({ kind: 'put', key: key(number), value: 'x' })))
    }
    const { entries } = await store.list('/n/')
    expect(entries.map((entry) => entry.key)).toEqual(
      Array.from({ length: 2_500 }, (_, number) => key(number)),
    )
    await store.close()
  })

  it('says so when the history that a watch asks for was compacted', async () => {
    const store = open()
    const { revision } = await store.list('')
    await writeMany(store, 3)
    const now = (await store.list('')).revision
    await etcd.ctl(['compact', String(now)])
    await expect(take(store.watch('/', revision, never), 1)).rejects.toThrow(new HistoryLost(revision))
    const watched = take(store.watch('/', now, never), 1)
    await put(store, '/after', 'x')
    expect(textOfEvents(await watched)).toBe('put /after=x')
    await store.close()
  })
})
