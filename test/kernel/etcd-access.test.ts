/** A store over an etcd with users, set up by the very commands of docs/etcd.md. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EtcdMember, etcdOf, startEtcdMember } from '../../lab/etcd-member.ts'
import { waitUntil } from '../../lab/wait-until.ts'
import { type EtcdStore, openEtcdStore } from '../../store/etcd.ts'
import { never, put, take, textOfList } from '../contract/store-steps.ts'

const PASSWORDS = { root: 'password-of-root', romana: 'password-of-romana' }

/** The lines of docs/etcd.md that make the user, as arguments of etcdctl. */
function documentedCommands(): string[][] {
  const page = readFileSync(new URL('../../docs/etcd.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('## The user and its role')
  return [...section.matchAll(/^etcdctl (.*)$/gm)].map(([, line = '']) => line.split(' '))
}

describe.each(['bookworm', 'sid'] as const)('the etcd of Debian %s, with users', (release) => {
  const opened = new AsyncDisposableStack()
  let etcd: EtcdMember
  let stores = 0

  beforeAll(async () => {
    etcd = opened.use(await startEtcdMember(await etcdOf(release)))
    for (const [what = '', verb = '', name = '', ...rest] of documentedCommands()) {
      const isUser = what === 'user' && verb === 'add'
      const password = name === 'root' ? PASSWORDS.root : PASSWORDS.romana
      await etcd.ctl(
        [what, verb, name, ...rest, ...(isUser ? [`--new-user-password=${password}`] : [])].filter(Boolean),
      )
    }
  })
  afterAll(() => opened.disposeAsync())

  function open(prefix = `/romana/${++stores}`, password = PASSWORDS.romana): EtcdStore {
    const credentials = { username: 'romana', password }
    const store = openEtcdStore({ endpoints: [etcd.endpoint], prefix, owner: 'h1', credentials })
    return opened.adopt(store, (each) => each.close())
  }

  async function asRoot(...args: readonly string[]): Promise<void> {
    await etcd.ctl([`--user=root:${PASSWORDS.root}`, ...args])
  }

  it('gives the user all that a store needs', async () => {
    const store = open()
    const revision = await put(store, '/a', '1')
    const watched = take(store.watch('/', revision, never), 1)
    const session = store.openSession({ key: '/alive', value: 'h1', ttlMs: 3_000 })
    expect((await watched).map(({ key }) => key)).toEqual(['/alive'])
    await session.close()
    expect(await textOfList(store, '')).toBe('/a=1')
  })

  it.each([
    ['another prefix', () => open('/elsewhere')],
    ['a wrong password', () => open('/romana/denied', 'wrong')],
  ])('denies %s, and never says that there is nothing', async (_what, denied) => {
    const store = denied()
    const code = 'E_STORE_DENIED'
    await expect(store.get('/a')).rejects.toMatchObject({ code })
    await expect(store.list('/')).rejects.toMatchObject({ code })
    await expect(store.commit([{ kind: 'create', key: '/a', value: '1' }])).rejects.toMatchObject({ code })
    await expect(take(store.watch('/', 0, never), 1)).rejects.toMatchObject({ code })
  })

  it('goes on when etcd has restarted and forgotten who was let in', async () => {
    const store = open()
    await put(store, '/a', '1')
    await etcd.kill()
    await etcd.restart()
    await put(store, '/b', '2')
    expect(await textOfList(store, '')).toBe('/a=1 /b=2')
  })

  it('goes on with its session and new watches when etcd has restarted', async () => {
    const store = open()
    const wait = { what: 'the session', timeoutMs: 20_000 }
    const session = store.openSession({ key: '/alive', value: 'h1', ttlMs: 3_000 })
    await waitUntil(wait, () => store.get('/alive'))
    const revision = await put(store, '/a', '1')
    const events = store.watch('/a', revision, never)[Symbol.asyncIterator]()
    const first = events.next()
    await put(store, '/a', '2')
    expect((await first).value).toMatchObject({ key: '/a', value: '2' })
    const broken = events.next()
    broken.catch(() => undefined)
    await etcd.kill()
    await etcd.restart()
    await expect(broken).rejects.toMatchObject({ code: 'E_STORE_AWAY' })
    const after = await put(store, '/b', '2')
    const watched = take(store.watch('/b', after, never), 1)
    await put(store, '/b', '3')
    expect(await watched).toHaveLength(1)
    await waitUntil(wait, () => store.get('/alive'))
    await session.close()
  })

  it('goes on when the permissions were changed meanwhile', async () => {
    const store = open()
    await put(store, '/a', '1')
    await asRoot('role', 'grant-permission', 'romana', 'readwrite', '/other')
    await put(store, '/b', '2')
    expect(await textOfList(store, '')).toBe('/a=1 /b=2')
  })
})
