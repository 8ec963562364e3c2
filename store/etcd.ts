/** The directory of several hosts: the contract of a store over etcd. */
import { RomanaError } from '../errors.ts'
import { checkChanges, checkKey, checkPrefix } from './changes.ts'
import { EtcdCommits } from './etcd-commit.ts'
import { entryOf, keyBytes, OWNERS, rangeOf } from './etcd-keys.ts'
import { EtcdMembers, type EtcdOptions } from './etcd-members.ts'
import { keepSession, type Session, type SessionWish } from './etcd-session.ts'
import { watchEtcd } from './etcd-watch.ts'
import { type Change, type CommitResult, type Entry, HistoryLost, type Listing, type Store } from './store.ts'

/** How many entries are asked for at once. */
const PAGE = 1_000

export interface EtcdStoreOptions extends EtcdOptions {
  /** Who writes, the same after a restart: the id of this host's journal. */
  readonly owner: string
}

/** Opens the store, and waits for nobody: a call finds out whether etcd answers. */
export function openEtcdStore(options: EtcdStoreOptions): EtcdStore {
  return new EtcdStore(options)
}

/** A {@link Store} that also can tell that this host is alive. A call takes five seconds at most. */
export class EtcdStore implements Store {
  readonly #members: EtcdMembers
  readonly #prefix: string
  readonly #commits: EtcdCommits
  readonly #closing = new AbortController()

  constructor(options: EtcdStoreOptions) {
    this.#members = new EtcdMembers(options)
    this.#prefix = options.prefix
    this.#commits = new EtcdCommits(this.#members, options.prefix, options.owner)
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#checkOpen()
    checkKey(key)
    const request = { key: keyBytes(this.#prefix, key) }
    const { kvs } = await this.#members.ask(`read "${key}" of`, ({ kv }) => kv.range(request))
    return kvs[0] && entryOf(this.#prefix, kvs[0])
  }

  /** In pages, all of the revision of the first. */
  async list(prefix: string): Promise<Listing> {
    this.#checkOpen()
    checkPrefix(prefix)
    const cannot = `list "${prefix}" of`
    const entries: Entry[] = []
    let { key, range_end } = rangeOf(this.#prefix, prefix)
    let revision = 0
    for (;;) {
      const request = { key, range_end, revision, limit: PAGE }
      const page = await this.#members.ask(cannot, ({ kv }) => kv.range(request))
      if (revision === 0) revision = Number(page.header.revision)
      entries.push(...page.kvs.map((each) => entryOf(this.#prefix, each)))
      const last = page.kvs.at(-1)
      if (!page.more || last === undefined) break
      key = Buffer.concat([last.key, Buffer.of(0)])
    }
    return { revision, entries: entries.filter((entry) => !entry.key.startsWith(OWNERS)) }
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    this.#checkOpen()
    checkChanges(changes)
    if (changes.length === 0) return { committed: true, revision: await this.#revision() }
    return await this.#commits.commit(changes)
  }

  async *watch(prefix: string, afterRevision: number, signal: AbortSignal) {
    this.#checkOpen()
    checkPrefix(prefix)
    if (signal.aborted) return
    // etcd would wait for a revision to come; it is one of an etcd that was replaced by an older copy.
    if (afterRevision > (await this.#revision())) throw new HistoryLost(afterRevision)
    yield* watchEtcd({
      members: this.#members,
      prefix: this.#prefix,
      keyPrefix: prefix,
      afterRevision,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    })
  }

  /** Keeps a key there as long as this process runs and reaches etcd. For status only: nothing may depend on it. */
  openSession(wish: SessionWish): Session {
    return keepSession(this.#members, this.#prefix, wish)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#members.close()
  }

  /** Of the last transaction that was carried out before this call. */
  async #revision(): Promise<number> {
    const request = { key: keyBytes(this.#prefix, OWNERS), count_only: true }
    const { header } = await this.#members.ask('read the revision of', ({ kv }) => kv.range(request))
    return Number(header.revision)
  }

  #checkOpen(): void {
    if (!this.#closing.signal.aborted) return
    throw new RomanaError('E_STORE', { cannot: `use ${this.#members.name}`, because: 'it is closed' })
  }
}
