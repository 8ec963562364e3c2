/** A transaction of the contract as one of etcd, and etcd's answer as a result of the contract. Pure. */
import type { ICompare, IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3'
import { keyBytes } from './etcd-keys.ts'
import type { Change, CommitResult } from './store.ts'

/**
 * The write by which a store recognises its own transaction, under a key that nobody else writes. Each attempt asks for the
 * key's revision before the transaction: one that comes late, behind another attempt, is not carried out a second time.
 */
export interface OwnerToken {
  readonly key: string
  readonly value: string
  /** Of the key, before the transaction; 0 when it is absent. */
  readonly revision: number
}

export function transactionOf(prefix: string, changes: readonly Change[], token: OwnerToken): ITxnRequest {
  const { key, value } = token
  const conditions = [token, ...changes.flatMap(conditionOf)]
  const writes: Change[] = [...changes, { kind: 'put', key, value }]
  return {
    compare: conditions.map((condition) => compareOf(prefix, condition)),
    success: writes.map((change) => operationOf(prefix, change)),
    failure: conditions.map((condition) => ({ request_range: { key: keyBytes(prefix, condition.key) } })),
  }
}

/**
 * The result of a transaction, when etcd has answered it. Undefined: somebody else has written the token's key, so that this
 * attempt was not carried out, and of earlier ones nothing is known.
 */
export function resultOf(
  changes: readonly Change[],
  token: OwnerToken,
  { succeeded, header, responses }: ITxnResponse,
): CommitResult | undefined {
  if (succeeded) return { committed: true, revision: Number(header.revision) }
  const [own, ...found] = responses.map(({ response_range: { kvs } }) => kvs[0])
  // An earlier attempt was carried out after all.
  if (own?.value.toString() === token.value) return { committed: true, revision: Number(own.mod_revision) }
  if (Number(own?.mod_revision ?? 0) !== token.revision) return undefined
  const conflicts = changes
    .flatMap(conditionOf)
    .filter(({ revision }, index) => Number(found[index]?.mod_revision ?? 0) !== revision)
  return { committed: false, conflicts: conflicts.map(({ key }) => key) }
}

/** The revision that a key must have; 0 stands for a key that is absent. */
interface Condition {
  readonly key: string
  readonly revision: number
}

function conditionOf(change: Change): Condition[] {
  const { key } = change
  if (change.kind === 'create') return [{ key, revision: 0 }]
  return 'revision' in change && change.revision !== undefined ? [{ key, revision: change.revision }] : []
}

function compareOf(prefix: string, { key, revision }: Condition): ICompare {
  return { key: keyBytes(prefix, key), target: 'Mod', result: 'Equal', mod_revision: revision }
}

function operationOf(prefix: string, change: Change): IRequestOp {
  const key = keyBytes(prefix, change.key)
  if (change.kind === 'remove') return { request_delete_range: { key } }
  return { request_put: { key, value: Buffer.from(change.value) } }
}
