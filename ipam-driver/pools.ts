/**
 * Pools: the cells in use on this host, in the journal. The directory knows which segments have one: it is written first
 * when a pool is taken and last when it is released, so that no segment goes that is still in use.
 */
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import { journalKeys } from '../store/keys.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  listStored,
  NetworkRecord,
  PoolRecord,
} from '../store/records.ts'
import type { RevisionAge } from '../store/revision-age.ts'
import type { Serial } from '../store/serial.ts'
import type { Store } from '../store/store.ts'
import { inSegmentOfIpv4 } from './dual-stack.ts'
import { formatPoolId, type PoolId, parsePoolId } from './pool-id.ts'
import { segmentOf } from './pool-segment.ts'
import type { PoolWish } from './pool-wish.ts'
import { cellOf, type SegmentParts } from './segment-hold.ts'
import { leaveSegment } from './segment-leave.ts'
import { GATEWAY } from './wire.ts'

export interface PoolParts extends SegmentParts {
  readonly journal: Store
  /** Of the journal: how old a pool is that may be one without a network. */
  readonly journalAge: RevisionAge
  /** For tasks that read and then write the journal. They must not wait for the directory: containers wait for them. */
  readonly journalTurn: Serial
  /** Told of a segment that could not be left: the hold is dropped by the next reconciliation (`pool-recovery.ts`). */
  readonly onHoldLeft: (error: RomanaError) => void
}

/** What a pool is of. */
type SegmentCell = Pick<PoolRecord, 'cell' | 'tenant' | 'segment'>

export interface PoolAnswer {
  readonly PoolID: string
  readonly Pool: string
  readonly Data: Readonly<Record<string, string>>
}

/**
 * One more network holds the pool of its segment. The answer brings the gateway along, so that the engine asks for none.
 * @throws RomanaError E_SUBNET, E_SEGMENT_UNKNOWN, E_NAME, E_TENANTS_FULL, E_CONFLICT, E_STORE
 */
export async function takePool(parts: PoolParts, wish: PoolWish): Promise<PoolAnswer> {
  await forgetUnusedPools(parts)
  const segment = await segmentOf(parts, await inSegmentOfIpv4(parts.journal, wish))
  const cell = cellOf(wish.plan, parts.host, segment)
  const id: PoolId = { cell, tenant: segment.tenant, segment: segment.name, range: wish.range?.cidr ?? cell }
  await parts.journalTurn(async () => {
    const pool = await getPool(parts.journal, id)
    await putPool(parts.journal, { ...pool, uses: pool.uses + 1 })
  })
  return {
    PoolID: formatPoolId(id),
    Pool: String(cell),
    Data: { [GATEWAY]: `${gatewayOf(cell)}/${cell.prefixLength}` },
  }
}

/**
 * One network less that may come. Those that are there keep the pool, however often it is released: the engine releases it
 * before it deletes the network, and again at its next start when it died in between (moby, daemon/libnetwork/network.go,
 * delete, and store.go, networkCleanup). It says of no network which one it means. {@link forgetUnusedPools} is due behind
 * the network. Well when the pool is not held. @throws RomanaError E_STORE, E_RECORD of the journal
 */
export async function releasePool(parts: PoolParts, poolId: string): Promise<void> {
  await releaseCell(parts, parsePoolId(poolId))
}

/**
 * The same of a pool that the engine does not speak of any more: that of a network whose record was removed.
 * @throws RomanaError E_STORE, E_RECORD of the journal
 */
export async function releaseCell(parts: PoolParts, released: SegmentCell): Promise<void> {
  const isHeld = await parts.journalTurn(async () => {
    const stored = await getRecord(parts.journal, PoolRecord, journalKeys.pool(released.cell))
    if (stored === undefined) return false
    await putPool(parts.journal, { ...stored.record, uses: Math.max(0, stored.record.uses - 1) })
    return true
  })
  await forgetUnusedPools(parts)
  // Released before, by a call that may have ended between the two stores.
  if (!isHeld) await leaveIfUnused(parts, released)
}

/**
 * The pools of both families hold the segment. The journal says what is held: with the directory away the engine must not
 * fail, nor ask again for ever.
 */
async function leaveIfUnused(
  parts: PoolParts,
  { tenant, segment }: Omit<SegmentCell, 'cell'>,
): Promise<void> {
  const pools = await listRecords(parts.journal, PoolRecord, journalKeys.pools())
  if (pools.some((pool) => pool.tenant === tenant && pool.segment === segment)) return
  try {
    await leaveSegment(parts, { tenant, segment })
  } catch (error) {
    if (!(error instanceof RomanaError)) throw error
    parts.onHoldLeft(error)
  }
}

/**
 * Frees the pools that no network is made of: the engine has released them, or it asked for them and died, or the plugin
 * did. A network follows its pool within milliseconds. The last host takes an automatic segment with it.
 * @throws RomanaError E_STORE, E_RECORD of the journal
 */
export async function forgetUnusedPools(parts: PoolParts): Promise<void> {
  const forgotten = await parts.journalTurn(async () => {
    const unused = await unusedPools(parts)
    for (const pool of unused) await removePool(parts.journal, pool)
    return unused
  })
  for (const pool of forgotten) await leaveIfUnused(parts, pool)
}

async function unusedPools({ journal, journalAge }: PoolParts): Promise<PoolRecord[]> {
  const { stored } = await listStored(journal, PoolRecord, journalKeys.pools())
  const idle = stored.filter(({ record, revision }) => record.uses === 0 || journalAge.isOld(revision))
  if (idle.length === 0) return []
  const networks = await listRecords(journal, NetworkRecord, journalKeys.networks())
  return idle.map(({ record }) => record).filter((pool) => !hasNetwork(networks, pool))
}

/** Whether one of the networks is made of the pool. */
export function hasNetwork(networks: readonly NetworkRecord[], pool: PoolRecord): boolean {
  return networks.flatMap(poolsOf).some(({ cell }) => cell.equals(pool.cell))
}

/** The record of a pool; as a fresh one when the journal does not have it. @throws RomanaError E_STORE, E_RECORD */
export async function getPool(journal: Store, id: SegmentCell): Promise<PoolRecord> {
  const stored = await getRecord(journal, PoolRecord, journalKeys.pool(id.cell))
  return stored?.record ?? freshPool(id)
}

/** The record of a pool that nobody has asked for. */
export function freshPool({ cell, tenant, segment }: SegmentCell): PoolRecord {
  return { cell, tenant, segment, uses: 0, lastGiven: cell.network }
}

/** @throws RomanaError E_STORE */
export async function putPool(journal: Store, pool: PoolRecord): Promise<void> {
  await journal.commit([{ kind: 'put', key: journalKeys.pool(pool.cell), value: formatRecord(pool) }])
}

async function removePool(journal: Store, { cell }: PoolRecord): Promise<void> {
  await journal.commit([{ kind: 'remove', key: journalKeys.pool(cell) }])
}
