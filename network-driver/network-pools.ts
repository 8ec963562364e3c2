/** The pools of a new network, as the IPAM driver recorded them: they say of which segment the network is. */
import type { Cidr } from '../address/cidr.ts'
import { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import { isAutomaticName } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { listRecords, NetworkRecord, PoolRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { NetworkWish } from './network-options.ts'

type Segment = Pick<PoolRecord, 'tenant' | 'segment'>

/** @throws RomanaError E_POOL_UNKNOWN, E_OPTION, E_CONFLICT, E_STORE, E_RECORD */
export async function segmentOfPools(journal: Store, { cell, pool6 }: NetworkWish): Promise<Segment> {
  const recorded = await listRecords(journal, PoolRecord, journalKeys.pools())
  const { tenant, segment } = recordOf(recorded, cell)
  if (pool6 === undefined) await refuseStranger(journal, recorded, recordOf(recorded, cell))
  else refuseDifferent(recordOf(recorded, cell), recordOf(recorded, pool6.cell))
  return { tenant, segment }
}

function recordOf(recorded: readonly PoolRecord[], cell: Cidr): PoolRecord {
  const found = recorded.find((pool) => pool.cell.equals(cell))
  if (found !== undefined) return found
  throw new RomanaError('E_POOL_UNKNOWN', {
    cannot: `make a network of the pool ${cell}`,
    because: 'the Romana IPAM driver has not given it out',
    remedy: 'Create the network again',
  })
}

function refuseDifferent(first: PoolRecord, second: PoolRecord): void {
  if (isSameSegment(first, second)) return
  throw new RomanaError('E_OPTION', {
    cannot: `make a network of the pools ${first.cell} and ${second.cell}`,
    because: `they belong to different segments, ${describe(first)} and ${describe(second)}`,
    remedy:
      'Name the segment with --ipam-opt tenant=NAME --ipam-opt segment=NAME, or create the network again',
  })
}

/**
 * An automatic segment belongs to one network. When the other pool of it has none yet, two networks that were made at the
 * same moment have been mixed up ("ipam-driver/dual-stack.ts"): they would reach each other.
 */
async function refuseStranger(
  journal: Store,
  recorded: readonly PoolRecord[],
  pool: PoolRecord,
): Promise<void> {
  if (!isAutomaticName(pool.segment)) return
  const other = recorded.find((one) => one !== pool && isSameSegment(one, pool))
  if (other === undefined) return
  const networks = await listRecords(journal, NetworkRecord, journalKeys.networks())
  if (networks.flatMap(poolsOf).some(({ cell }) => cell.equals(other.cell))) return
  throw new RomanaError('E_CONFLICT', {
    cannot: `make a network of the pool ${pool.cell}`,
    because: `another network that is being made has ${other.cell} of the same segment`,
    remedy: 'Create the network again',
  })
}

function isSameSegment(a: Segment, b: Segment): boolean {
  return a.tenant === b.tenant && a.segment === b.segment
}

function describe({ tenant, segment }: Segment): string {
  return `"${segment}" of tenant "${tenant}"`
}
