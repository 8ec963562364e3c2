/**
 * Which of the pools that an engine names are this host's. An engine keeps the id of a network's pool for years, and takes
 * it along to another machine or another plan; there the addresses are somebody else's.
 */
import type { Plans } from '../address/address-plan.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cellAround, cellOnHost } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import type { HostNumber } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { getRecord, PoolRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { type PoolId, parsePoolId } from './pool-id.ts'

export interface OwnPoolParts {
  readonly plans: Plans
  readonly host: HostNumber
  readonly journal: Store
}

/** The pool of this id. A journal that was lost knows it no more: then the id is believed. @throws RomanaError E_POOL_UNKNOWN, E_STORE, E_RECORD */
export async function findOwnPool(parts: OwnPoolParts, text: string): Promise<PoolId> {
  const id = parsePoolId(text)
  const because = strangeCell(parts, id) ?? (await strangeNames(parts, id))
  if (because === undefined) return id
  throw new RomanaError('E_POOL_UNKNOWN', {
    cannot: `find the pool "${text}"`,
    because,
    remedy: 'Remove the network and create it again',
  })
}

function strangeCell({ plans, host }: OwnPoolParts, { cell }: PoolId): string | undefined {
  const plan = planOf(plans, cell.family)
  if (plan === undefined) return `this host has no plan for IPv${cell.family}`
  const isOwn =
    cellAround(plan, cell.network).equals(cell) && cellOnHost(plan, cell, BigInt(host)).equals(cell)
  return isOwn ? undefined : `it is no cell of this host in the plan ${plan.cidr}`
}

async function strangeNames(
  { journal }: OwnPoolParts,
  { cell, tenant, segment }: PoolId,
): Promise<string | undefined> {
  const pool = (await getRecord(journal, PoolRecord, journalKeys.pool(cell)))?.record
  if (pool === undefined || (pool.tenant === tenant && pool.segment === segment)) return undefined
  return `${cell} is that of segment "${pool.segment}" of tenant "${pool.tenant}"`
}
