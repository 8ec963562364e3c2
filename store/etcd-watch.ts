/**
 * A watch on etcd, as one stream that is never resumed: when it breaks it ends with an error, and who watches lists again. What
 * the client library does to resume loses events that were not yet told when the stream broke.
 */
import type { IWatchResponse } from 'etcd3'
import { RomanaError } from '../errors.ts'
import { Doorbell } from './doorbell.ts'
import { etcdError } from './etcd-errors.ts'
import { keyText, OWNERS, rangeOf } from './etcd-keys.ts'
import type { EtcdMembers } from './etcd-members.ts'
import { HistoryLost, type StoreEvent } from './store.ts'

/** Events that wait to be read. A consumer that is further behind lists again. */
const MOST_WAITING = 20_000

/** A stream that has not begun by then, in milliseconds, leads nowhere. Later keepalives tell. */
const BEGIN_MS = 4_000
const ENDED = Object.assign(new Error('the stream has ended'), { code: 14 })
const NOT_BEGUN = Object.assign(new Error(`no answer within ${BEGIN_MS} ms`), { code: 4 })

export interface EtcdWatchParts {
  readonly members: EtcdMembers
  readonly prefix: string
  readonly keyPrefix: string
  readonly afterRevision: number
  readonly signal: AbortSignal
}

/** @throws HistoryLost @throws RomanaError E_STORE_AWAY, E_STORE_DENIED, E_STORE */
export async function* watchEtcd(parts: EtcdWatchParts): AsyncGenerator<StoreEvent> {
  const { members, prefix, keyPrefix, afterRevision, signal } = parts
  const client = members.openClient()
  const inbox = new Inbox(parts)
  const patience = setTimeout(() => inbox.failUnlessBegun(), BEGIN_MS)
  let cancel = () => {}
  try {
    const stream = await client.watchClient.watch()
    cancel = () => stream.cancel()
    stream.on('data', (response) => inbox.receive(response))
    stream.on('error', (error) => inbox.fail(error))
    stream.on('end', () => inbox.fail(ENDED))
    const start = { start_revision: afterRevision + 1 }
    stream.write({ create_request: { ...rangeOf(prefix, keyPrefix), ...start } })
    yield* inbox.read(signal)
  } catch (error) {
    if (error instanceof HistoryLost) throw error
    members.passOver()
    throw etcdError('watch', members.name, error)
  } finally {
    clearTimeout(patience)
    cancel()
    client.close()
  }
}

/** What the stream has told and nobody has read yet. */
class Inbox {
  readonly #parts: EtcdWatchParts
  readonly #waiting: StoreEvent[] = []
  readonly #changed = new Doorbell()
  #failure: unknown
  #hasBegun = false

  constructor(parts: EtcdWatchParts) {
    this.#parts = parts
  }

  receive(response: IWatchResponse): void {
    this.#hasBegun = true
    if (response.canceled) this.fail(this.#reasonOfEnd(response))
    for (const { type, kv } of response.events) {
      const key = keyText(this.#parts.prefix, kv.key)
      if (key.startsWith(OWNERS)) continue
      const revision = Number(kv.mod_revision)
      this.#waiting.push(
        type === 'Delete'
          ? { kind: 'removed', key, revision }
          : { kind: 'put', key, value: kv.value.toString(), revision },
      )
    }
    if (this.#waiting.length > MOST_WAITING) this.fail(new HistoryLost(this.#parts.afterRevision))
    this.#changed.ring()
  }

  failUnlessBegun(): void {
    if (!this.#hasBegun) this.fail(NOT_BEGUN)
  }

  fail(failure: unknown): void {
    this.#failure ??= failure
    this.#changed.ring()
  }

  async *read(signal: AbortSignal): AsyncGenerator<StoreEvent> {
    while (!signal.aborted) {
      const event = this.#waiting.shift()
      if (event !== undefined) yield event
      else if (this.#failure !== undefined) throw this.#failure
      else await this.#changed.rung(signal)
    }
  }

  /** Release 3.4 gives no reason when the history is compacted; a revision is there then, and nowhere else. */
  #reasonOfEnd({ cancel_reason: reason, compact_revision: compacted }: IWatchResponse): unknown {
    if (Number(compacted) > 0 || /compacted/.test(reason)) return new HistoryLost(this.#parts.afterRevision)
    const { name } = this.#parts.members
    return /permission denied|auth/.test(reason)
      ? new RomanaError('E_STORE_DENIED', { cannot: `watch ${name}`, because: reason })
      : new Error(reason === '' ? 'etcd has ended the watch' : reason)
  }
}
