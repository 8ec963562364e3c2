/**
 * Commits a transaction once, also when etcd's answer is lost. With the transaction the store writes a token under a key of
 * its own: who reads it there knows that the transaction was carried out, and at which revision.
 */
import { etcdError, isAway } from './etcd-errors.ts'
import { keyBytes, OWNERS } from './etcd-keys.ts'
import type { EtcdMembers } from './etcd-members.ts'
import { isRepeatable, type OwnerToken, resultOf, transactionOf } from './etcd-transaction.ts'
import type { Change, CommitResult } from './store.ts'

/** How often a transaction is sent. Enough that one of three members which is down or cut off is passed over. */
const ATTEMPTS = 3
const CANNOT = 'write to'

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

  /** @throws RomanaError E_STORE_AWAY, after which the changes may be there or not; E_STORE_DENIED, E_STORE */
  async commit(changes: readonly Change[]): Promise<CommitResult> {
    if (isRepeatable(changes)) {
      const request = transactionOf(this.#prefix, changes, undefined)
      return this.#members.ask(CANNOT, async ({ kv }) => resultOf(changes, undefined, await kv.txn(request)))
    }
    const slot = this.#freeSlots.pop() ?? (await this.#openSlot())
    // A slot whose transaction could not be settled is not used again: it may still be under way.
    const result = await this.#commitOnce(changes, { ...slot, value: crypto.randomUUID() })
    this.#freeSlots.push(result.committed ? { key: slot.key, revision: result.revision } : slot)
    return result
  }

  async #openSlot(): Promise<Slot> {
    const key = `${OWNERS}${this.#owner}/${this.#slots++}`
    const request = { key: keyBytes(this.#prefix, key) }
    const { kvs } = await this.#members.ask(CANNOT, ({ kv }) => kv.range(request))
    return { key, revision: Number(kvs[0]?.mod_revision ?? 0) }
  }

  async #commitOnce(changes: readonly Change[], token: OwnerToken): Promise<CommitResult> {
    const request = transactionOf(this.#prefix, changes, token)
    let failure: unknown
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        return resultOf(changes, token, await this.#members.askOnce(({ kv }) => kv.txn(request)))
      } catch (error) {
        failure = error
        if (!isAway(error)) break
        this.#members.passOver()
      }
    }
    throw etcdError(CANNOT, this.#members.name, failure)
  }
}
