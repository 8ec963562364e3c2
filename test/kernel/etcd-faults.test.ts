/** The store over a real etcd, on a way to it that fails: what it answers then is true, and it says soon that it cannot. */
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { type EtcdMember, startEtcdMember } from '../../lab/etcd-member.ts'
import { waitUntil } from '../../lab/wait-until.ts'
import { type EtcdStore, openEtcdStore } from '../../store/etcd.ts'
import { followRecords } from '../../store/follow.ts'
import { HistoryLost, type StoreEvent } from '../../store/store.ts'
import { never, put, take, textOfEvents, textOfList } from '../contract/store-steps.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let etcd: EtcdMember
let way: TcpProxy
let opened: AsyncDisposableStack
let prefixes = 0
let prefix: string

beforeAll(async () => {
  etcd = await startEtcdMember()
})
afterAll(() => etcd?.[Symbol.asyncDispose]())
beforeEach(async () => {
  opened = new AsyncDisposableStack()
  way = opened.use(await startTcpProxy(Number(new URL(etcd.endpoint).port)))
  prefix = `/faults-${++prefixes}`
})
afterEach(() => opened.disposeAsync())

/** Its first member is behind the way that fails; the second, where there is one, is reached without. */
function open({ alone = false, owner = 'h1' } = {}): EtcdStore {
  const failing = `http://127.0.0.1:${way.port}`
  const endpoints = alone ? [failing] : [failing, etcd.endpoint]
  return opened.adopt(openEtcdStore({ endpoints, prefix, owner }), (store) => store.close())
}

/** A store that nothing happens to. */
function openOther(): EtcdStore {
  const store = openEtcdStore({ endpoints: [etcd.endpoint], prefix, owner: 'h2' })
  return opened.adopt(store, (each) => each.close())
}

/** A watch that has told its first event, and waits for the next one. */
async function watching(store: EtcdStore): Promise<AsyncIterator<StoreEvent>> {
  const { revision } = await store.list('/')
  const watch = store.watch('/', revision, never)[Symbol.asyncIterator]()
  const first = watch.next()
  await put(store, '/a', '1')
  await first
  return watch
}

/** Milliseconds until it settles, and the code of its error. */
async function timed(action: Promise<unknown>): Promise<{ tookMs: number; code: string }> {
  const start = performance.now()
  const code = await action.then(
    () => 'no error',
    (error: unknown) => (error instanceof RomanaError ? error.code : String(error)),
  )
  return { tookMs: performance.now() - start, code }
}

describe('a transaction whose answer is lost', () => {
  it('is committed once, and no conflict with itself, when it was carried out', async () => {
    const [store, other] = [open(), openOther()]
    await put(store, '/before', 'x')
    way.fail('lose answers')
    const committing = store.commit([{ kind: 'create', key: '/a', value: '1' }])
    const made = await waitUntil({ what: '/a', timeoutMs: 5_000 }, () => other.get('/a'))
    expect(await committing).toEqual({ committed: true, revision: made.revision })
  })

  it('is committed also when somebody has changed its key since', async () => {
    const [store, other] = [open(), openOther()]
    await put(store, '/before', 'x')
    way.fail('lose answers')
    const committing = store.commit([{ kind: 'create', key: '/a', value: '1' }])
    const made = await waitUntil({ what: '/a', timeoutMs: 5_000 }, () => other.get('/a'))
    await other.commit([{ kind: 'remove', key: '/a', revision: made.revision }])
    expect(await committing).toEqual({ committed: true, revision: made.revision })
    expect(await store.get('/a')).toBeUndefined()
  })

  it('is sent again when it was not carried out', async () => {
    const store = open()
    await put(store, '/before', 'x')
    way.fail('lose all')
    expect(await store.commit([{ kind: 'create', key: '/a', value: '1' }])).toMatchObject({ committed: true })
  })

  it('tells the conflict when somebody else was first', async () => {
    const [store, other] = [open(), openOther()]
    await put(store, '/before', 'x')
    way.fail('lose all')
    const committing = store.commit([{ kind: 'create', key: '/a', value: '1' }])
    await put(other, '/a', '2')
    expect(await committing).toEqual({ committed: false, conflicts: ['/a'] })
  })

  it.each([
    { kind: 'put', key: '/a', value: 'late' },
    { kind: 'create', key: '/a', value: 'late' },
    { kind: 'remove', key: '/a' },
  ] as const)('is not carried out a second time when it comes late: $kind', async (change) => {
    const [store, other] = [open(), openOther()]
    if (change.kind === 'remove') await put(store, '/a', 'old')
    else await put(store, '/before', 'x')
    way.fail('delay requests')
    await store.commit([change])
    await other.commit([{ kind: 'remove', key: '/a' }])
    if (change.kind !== 'create') await put(other, '/a', 'new')
    const before = await textOfList(other, '/a')
    await way.deliver()
    expect(await textOfList(other, '/a')).toBe(before)
  })

  it('fails within seconds when no member answers', async () => {
    const store = open({ alone: true })
    await put(store, '/before', 'x')
    way.fail('lose answers')
    const { tookMs, code } = await timed(put(store, '/a', '1'))
    expect(code).toBe('E_STORE_AWAY')
    expect(tookMs).toBeLessThan(10_000)
    way.heal()
    await waitUntil({ what: 'the store', timeoutMs: 10_000 }, () =>
      timed(put(store, '/b', '2')).then(({ code }) => code === 'no error'),
    )
    expect(await textOfList(store, '')).toBe('/a=1 /b=2 /before=x')
  })

  it('is committed though one of a process before came late', async () => {
    const [store, other] = [open(), openOther()]
    await put(store, '/before', 'x')
    // What the process before this one had under way writes its own token.
    await etcd.ctl(['put', `${prefix}/.owners/h1/0`, 'of another process'])
    expect(await store.commit([{ kind: 'create', key: '/a', value: '1' }])).toMatchObject({ committed: true })
    expect(await textOfList(other, '/a')).toBe('/a=1')
  })
})

describe('a connection on which nothing comes back', () => {
  it('lets a reading fail within seconds', async () => {
    const store = open({ alone: true })
    await put(store, '/a', '1')
    way.fail('lose all')
    for (const action of [() => store.get('/a'), () => store.list('/')]) {
      const { tookMs, code } = await timed(action())
      expect(code).toBe('E_STORE_AWAY')
      expect(tookMs).toBeLessThan(10_000)
    }
  })

  it('is passed over where there is another member', async () => {
    const store = open()
    await put(store, '/a', '1')
    way.fail('lose all')
    expect(await textOfList(store, '')).toBe('/a=1')
  })

  it('lets a watch fail within ten seconds', async () => {
    const store = open({ alone: true })
    const watch = await watching(store)
    way.fail('lose all')
    const { tookMs, code } = await timed(watch.next())
    expect(code).toBe('E_STORE_AWAY')
    expect(tookMs).toBeLessThan(10_000)
  })

  it('lets a watch that begins on it fail within ten seconds', async () => {
    const store = open({ alone: true })
    const revision = await put(store, '/a', '1')
    way.fail('lose all')
    const { tookMs, code } = await timed(take(store.watch('/', revision, never), 1))
    expect(code).toBe('E_STORE_AWAY')
    expect(tookMs).toBeLessThan(10_000)
  })
})

describe('a watch that breaks', () => {
  it('ends with an error, and continues from its last event without a gap', async () => {
    const [store, other] = [open({ alone: true }), openOther()]
    const watch = await watching(store)
    const { revision } = await other.list('/')
    way.cut()
    await put(other, '/b', '2')
    expect((await timed(watch.next())).code).toBe('E_STORE_AWAY')
    await put(other, '/c', '3')
    expect(textOfEvents(await take(store.watch('/', revision, never), 2))).toBe('put /b=2, put /c=3')
  })

  it('says that the history is lost when it was compacted meanwhile', async () => {
    const [store, other] = [open({ alone: true }), openOther()]
    const watch = await watching(store)
    const { revision } = await other.list('/')
    way.cut()
    expect((await timed(watch.next())).code).toBe('E_STORE_AWAY')
    await put(other, '/b', '2')
    await etcd.ctl(['compact', String(await put(other, '/c', '3'))])
    await expect(take(store.watch('/', revision, never), 1)).rejects.toThrow(new HistoryLost(revision))
  })

  it('tells what follows the records of each later change all the same', async () => {
    const [store, other] = [open({ alone: true }), openOther()]
    const seen: string[] = []
    const ending = new AbortController()
    opened.defer(() => ending.abort())
    const following = followRecords({
      store,
      prefix: '/n/',
      schema: v.object({ n: v.number() }),
      onRecords: (records) => void seen.push(records.map(({ n }) => n).join(' ')),
      onTrouble: () => undefined,
      signal: ending.signal,
    })
    const wait = { what: 'the records', timeoutMs: 15_000 }
    await put(other, '/n/1', '{"n":1}')
    await waitUntil(wait, () => seen.at(-1) === '1')
    way.fail('lose all')
    await put(other, '/n/2', '{"n":2}')
    await etcd.ctl(['compact', String(await put(other, '/n/3', '{"n":3}'))])
    way.heal()
    await waitUntil(wait, () => seen.at(-1) === '1 2 3')
    await put(other, '/n/4', '{"n":4}')
    await waitUntil(wait, () => seen.at(-1) === '1 2 3 4')
    ending.abort()
    await following
  })
})

describe('a session', () => {
  const TTL_MS = 3_000
  const patience = { what: 'the session', timeoutMs: 15_000 }

  it('goes when its host is cut off, and comes back with it', async () => {
    const [store, other] = [open({ alone: true }), openOther()]
    const session = store.openSession({ key: '/alive', value: 'h1', ttlMs: TTL_MS })
    await waitUntil(patience, () => other.get('/alive'))
    way.fail('lose all')
    await waitUntil(patience, async () => (await other.get('/alive')) === undefined)
    way.heal()
    await waitUntil(patience, () => other.get('/alive'))
    await session.close()
    expect(await other.get('/alive')).toBeUndefined()
  })

  it('comes back when its lease was revoked', async () => {
    const [store, other] = [open({ alone: true }), openOther()]
    const session = store.openSession({ key: '/alive', value: 'h1', ttlMs: TTL_MS })
    await waitUntil(patience, () => other.get('/alive'))
    const leases = (await etcd.ctl(['lease', 'list'])).match(/^[0-9a-f]{8,}$/gm) ?? []
    for (const lease of leases) await etcd.ctl(['lease', 'revoke', lease])
    expect(await other.get('/alive')).toBeUndefined()
    await waitUntil(patience, () => other.get('/alive'))
    await session.close()
  })

  it('closes within seconds when its host is cut off', async () => {
    const store = open({ alone: true })
    const session = store.openSession({ key: '/alive', value: 'h1', ttlMs: 9_000 })
    await waitUntil(patience, () => store.get('/alive'))
    way.fail('lose all')
    expect((await timed(session.close())).tookMs).toBeLessThan(6_000)
  })
})
