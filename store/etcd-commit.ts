/**
 * Commits a transaction once, also when etcd's answer is lost. With the transaction the store writes a token under a key of
 * its own: who reads it there knows that the transaction was carried out, and at which revision.
 */
import { keyBytes, OWNERS } from './etcd-keys.ts'
import type { EtcdMembers } from './etcd-members.ts'
import { type OwnerToken, resultOf, transactionOf } from './etcd-transaction.ts'
import type { Change, CommitResult } from './store.ts'

const CANNOT = 'write to'
const UNSETTLED = new Error('no answer came in time, and another process writes in the name of this host')

/** A key that belongs to one transaction from its first attempt until it is settled. */
interface Slot {
  readonly key: string
  readonly revision: number
}

/** Commits for one store. */
export class EtcdCommits {
  readonly #members: EtcdMembers
  readonly #prefix: string
  readonly #owner: string
  readonly #freeSlots: Slot[] = []
  #slots = 0

  /** @param owner the same after a restart, so that its few keys are used again. */
  constructor(members: EtcdMembers, prefix: string, owner: string) {
    this.#members = members
    this.#prefix = prefix
    this.#owner = owner
  }

  /**
   * @throws RomanaError E_STORE_AWAY or E_STORE, after which the changes may be there or not; E_STORE_DENIED
   */
  async commit(changes: readonly Change[]): Promise<CommitResult> {
    const unchanged = await this.#revisionIfNothingToDo(changes)
    if (unchanged !== undefined) return { committed: true, revision: unchanged }
    const slot = this.#freeSlots.pop() ?? (await this.#openSlot())
    // A slot whose transaction could not be settled is not used again: it may still be under way.
    const result = await this.#commitOnce(changes, { ...slot, value: crypto.randomUUID() })
    // What a process before this one had under way has come late, and written the slot.
    if (result === undefined) return this.commit(changes)
    this.#freeSlots.push(result.committed ? { key: slot.key, revision: result.revision } : slot)
    return result
  }

  /** To remove what is absent is no change, and writes no token either. Undefined: there is something to do. */
  async #revisionIfNothingToDo(changes: readonly Change[]): Promise<number | undefined> {
    if (changes.some((change) => change.kind !== 'remove' || change.revision !== undefined)) return undefined
    const success = changes.map(({ key }) => ({
      request_range: { key: keyBytes(this.#prefix, key), keys_only: true },
    }))
    const { header, responses } = await this.#members.ask(CANNOT, ({ kv }) => kv.txn({ success }))
    const isPresent = responses.some(({ response_range: { kvs } }) => kvs.length > 0)
    return isPresent ? undefined : Number(header.revision)
  }

  async #openSlot(): Promise<Slot> {
    const key = `${OWNERS}${this.#owner}/${this.#slots++}`
    const request = { key: keyBytes(this.#prefix, key) }
    const { kvs } = await this.#members.ask(CANNOT, ({ kv }) => kv.range(request))
    return { key, revision: Number(kvs[0]?.mod_revision ?? 0) }
  }

  /** Undefined: it was not carried out, as somebody else has written the slot. */
  async #commitOnce(changes: readonly Change[], token: OwnerToken): Promise<CommitResult | undefined> {
    const request = transactionOf(this.#prefix, changes, token)
    let wasSent = false
    return await this.#members.ask(CANNOT, async ({ kv }) => {
      const isRepeated = wasSent
      wasSent = true
      const result = resultOf(changes, token, await kv.txn(request))
      if (result === undefined && isRepeated) throw UNSETTLED
      return result
    })
  }
}
