/**
 * A network without options gets a segment of its own. For a dual-stack one the engine asks twice, first for the IPv4 pool,
 * and says in neither request which network it is for. The two requests follow each other within milliseconds.
 */

import { poolsOf } from '../store/families.ts'
import { isAutomaticName, type Name } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { listRecords, listStored, NetworkRecord, PoolRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { PoolWish } from './pool-wish.ts'

/**
 * An IPv6 pool without a segment goes to the automatic segment whose IPv4 pool waits longest for its network. Should that
 * be another network's, made at the same moment, the network driver refuses both. @throws RomanaError E_STORE, E_RECORD
 */
export async function inSegmentOfIpv4(journal: Store, wish: PoolWish): Promise<PoolWish> {
  const asked = wish.segment
  if (wish.plan.cidr.family === 4 || asked === undefined || asked.segment !== undefined) return wish
  const segment = await waitingSegment(journal, asked.tenant)
  return segment === undefined ? wish : { ...wish, segment: { ...asked, segment } }
}

async function waitingSegment(journal: Store, tenant: Name): Promise<Name | undefined> {
  const { stored } = await listStored(journal, PoolRecord, journalKeys.pools())
  const cells = (await listRecords(journal, NetworkRecord, journalKeys.networks())).flatMap(poolsOf)
  const waiting = stored.filter(
    ({ record }) =>
      record.tenant === tenant &&
      isAutomaticName(record.segment) &&
      !cells.some(({ cell }) => cell.equals(record.cell)) &&
      stored.every(({ record: other }) => other === record || !isSameSegment(other, record)),
  )
  return waiting.sort((a, b) => a.revision - b.revision)[0]?.record.segment
}

function isSameSegment(a: PoolRecord, b: PoolRecord): boolean {
  return a.tenant === b.tenant && a.segment === b.segment
}
