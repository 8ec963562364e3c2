/** Pools: the cells in use on this host, in the journal. */
import type { AddressPlan } from '../address/address-plan.ts'
import { cell, gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { journalKeys } from '../store/keys.ts'
import { formatRecord, getRecord, PoolRecord, type SegmentRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { formatPoolId, type PoolId, parsePoolId } from './pool-id.ts'
import { type PoolWish, subnetError } from './pool-wish.ts'
import { ensureSegment, findSegmentByNumbers, releaseSegment } from './segments.ts'
import { GATEWAY } from './wire.ts'

export interface PoolParts {
  readonly directory: Store
  readonly journal: Store
  readonly plan: AddressPlan
  /** This host's number. */
  readonly host: bigint
}

export interface PoolAnswer {
  readonly PoolID: string
  readonly Pool: string
  readonly Data: Readonly<Record<string, string>>
}

/**
 * One more network holds the pool of its segment. The answer brings the gateway along, so that the engine asks for none.
 * @throws RomanaError E_SUBNET, E_TENANTS_FULL, E_STORE
 */
export async function takePool(parts: PoolParts, wish: PoolWish): Promise<PoolAnswer> {
  const segment = await segmentOf(parts, wish)
  const poolCell = cell(parts.plan, parts.host, {
    tenant: BigInt(segment.tenantNumber),
    segment: BigInt(segment.number),
  })
  if (wish.subnet !== undefined && !wish.subnet.cidr.equals(poolCell)) {
    throw subnetError(
      wish.subnet.cidr,
      `segment "${segment.name}" of tenant "${segment.tenant}" has ${poolCell} on this host`,
    )
  }
  const id: PoolId = {
    cell: poolCell,
    tenant: segment.tenant,
    segment: segment.name,
    range: wish.range ?? poolCell,
  }
  const pool = await getPool(parts.journal, id)
  await putPool(parts.journal, { ...pool, uses: pool.uses + 1 })
  return {
    PoolID: formatPoolId(id),
    Pool: String(poolCell),
    Data: { [GATEWAY]: `${gatewayOf(poolCell)}/${poolCell.prefixLength}` },
  }
}

/** One network less. The last one takes an automatic segment with it. Well when the pool is not held. @throws RomanaError E_STORE */
export async function releasePool({ directory, journal }: PoolParts, poolId: string): Promise<void> {
  const id = parsePoolId(poolId)
  const pool = await getPool(journal, id)
  if (pool.uses > 1) return putPool(journal, { ...pool, uses: pool.uses - 1 })
  await releaseSegment(directory, id.tenant, id.segment)
  await journal.commit([{ kind: 'remove', key: journalKeys.pool(id.cell) }])
}

/** The record of a pool; as a fresh one when the journal does not have it. @throws RomanaError E_STORE, E_RECORD */
export async function getPool(
  journal: Store,
  { cell: poolCell, tenant, segment }: PoolId,
): Promise<PoolRecord> {
  const stored = await getRecord(journal, PoolRecord, journalKeys.pool(poolCell))
  return stored?.record ?? { cell: poolCell, tenant, segment, uses: 0, lastGiven: poolCell.network }
}

async function putPool(journal: Store, pool: PoolRecord): Promise<void> {
  await journal.commit([{ kind: 'put', key: journalKeys.pool(pool.cell), value: formatRecord(pool) }])
}

async function segmentOf(parts: PoolParts, wish: PoolWish): Promise<SegmentRecord> {
  if (wish.segment !== undefined) return ensureSegment(parts.directory, parts.plan, wish.segment)
  const found = wish.subnet && (await findSegmentByNumbers(parts.directory, wish.subnet.numbers))
  if (found !== undefined) return found
  throw new RomanaError('E_SUBNET', {
    cannot: `use the subnet "${wish.subnet?.cidr}"`,
    because: `no segment has tenant number ${wish.subnet?.numbers.tenant} and segment number ${wish.subnet?.numbers.segment}`,
    remedy: 'Name the segment with --ipam-opt tenant=NAME --ipam-opt segment=NAME',
  })
}
