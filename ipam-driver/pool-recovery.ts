/**
 * Journal and directory are brought together: the journal gets the pools that its networks need, and the directory the segments that its pools
 * need and loses the holds that it has no pool for. The journal is right about this host; the directory may be older, or empty.
 */
import { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import {
  EndpointRecord,
  listRecords,
  NetworkRecord,
  PoolRecord,
  SegmentHostRecord,
} from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { freshPool, hasNetwork, putPool } from './pools.ts'
import { holdAgain, type SegmentParts } from './segment-hold.ts'
import { leaveSegment } from './segment-leave.ts'

type RecoveryParts = SegmentParts & { readonly journal: Store }

/**
 * Must run alone. Later a network without a pool is one that the engine is about to remove. Gives back what could not be
 * put right, for the log. @throws RomanaError E_CONFLICT, E_STORE, E_RECORD
 */
export async function recoverPools(
  parts: RecoveryParts,
  when: 'first' | 'later' = 'first',
): Promise<readonly string[]> {
  parts.age.observe((await parts.directory.list(directoryKeys.plan())).revision)
  if (when === 'first') await recoverLostPools(parts)
  const pools = await listRecords(parts.journal, PoolRecord, journalKeys.pools())
  const networks = await listRecords(parts.journal, NetworkRecord, journalKeys.networks())
  const used = pools.filter((pool) => pool.uses > 0 || hasNetwork(networks, pool))
  await dropLeftOverHolds(parts, used)
  const problems: string[] = []
  for (const pool of used) problems.push(...(await problemOf(holdAgain(parts, pool))))
  return problems
}

/**
 * A network without a pool: the journal was lost and the network came from the copy in the directory, which then has
 * this host's hold too, or from a living link. Otherwise an older release freed the pool, and never heard of the network's end.
 */
async function recoverLostPools(parts: RecoveryParts): Promise<void> {
  const networks = await listRecords(parts.journal, NetworkRecord, journalKeys.networks())
  const living = await listRecords(parts.journal, EndpointRecord, journalKeys.endpoints())
  const held = await ownHolds(parts)
  const inUse = networks.flatMap(poolsOf)
  for (const { networkId, ...network } of networks) {
    const isAlive =
      held.some(({ tenant, segment }) => tenant === network.tenant && segment === network.segment) ||
      living.some((endpoint) => endpoint.networkId === networkId)
    if (!isAlive) continue
    for (const { cell } of poolsOf({ networkId, ...network })) {
      if ((await parts.journal.get(journalKeys.pool(cell))) !== undefined) continue
      const uses = inUse.filter((pool) => pool.cell.equals(cell)).length
      await putPool(parts.journal, { ...freshPool({ ...network, cell }), uses })
    }
  }
}

/** Left by a crash between the two stores. Dropped first, so that an automatic segment goes before its number is looked for. */
async function dropLeftOverHolds(parts: RecoveryParts, pools: readonly PoolRecord[]): Promise<void> {
  for (const hold of await ownHolds(parts)) {
    const isUsed = pools.some(({ tenant, segment }) => tenant === hold.tenant && segment === hold.segment)
    if (!isUsed) await leaveSegment(parts, hold)
  }
}

async function ownHolds({ directory, host }: RecoveryParts): Promise<SegmentHostRecord[]> {
  const holds = await listRecords(directory, SegmentHostRecord, directoryKeys.allSegmentHosts())
  return holds.filter((hold) => hold.host === host)
}

/** A pool whose numbers are somebody else's must not keep the others from working. */
async function problemOf(held: Promise<unknown>): Promise<string[]> {
  try {
    await held
    return []
  } catch (error) {
    if (error instanceof RomanaError && error.code === 'E_SUBNET') return [error.message]
    throw error
  }
}
