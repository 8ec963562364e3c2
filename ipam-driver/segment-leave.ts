/** A host leaves a segment when it has no pool in it any more. */
import { isAutomaticName, type Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import {
  formatRecord,
  listRecords,
  SegmentHostRecord,
  type SegmentRecord,
  type Stored,
} from '../store/records.ts'
import type { Change } from '../store/store.ts'
import { untilDone } from './attempts.ts'
import type { SegmentParts } from './segment-hold.ts'
import { describe, getSegment, removal } from './segments.ts'

/**
 * This host does not hold the segment any more. The last one takes an automatic segment with it; a named one stays until a
 * person removes it. Well when nothing is held. @throws RomanaError E_CONFLICT, E_STORE
 */
export async function leaveSegment(
  parts: SegmentParts,
  { tenant, segment }: { readonly tenant: Name; readonly segment: Name },
): Promise<void> {
  const { directory, host } = parts
  const leaving: Change = { kind: 'remove', key: directoryKeys.segmentHost(tenant, segment, host) }
  await untilDone(`leave ${describe(tenant, segment)}`, async () => {
    const automatic = isAutomaticName(segment) ? await getSegment(directory, tenant, segment) : undefined
    const after = automatic === undefined ? [] : await afterLeaving(parts, automatic)
    return (await directory.commit([leaving, ...after])).committed ? true : undefined
  })
}

/** The host holds no segment any more. @throws RomanaError E_CONFLICT, E_STORE, E_RECORD */
export async function leaveAll(parts: SegmentParts): Promise<void> {
  const holds = await listRecords(parts.directory, SegmentHostRecord, directoryKeys.allSegmentHosts())
  for (const hold of holds) if (hold.host === parts.host) await leaveSegment(parts, hold)
}

/** The segment's record is in the transaction in any case: of two hosts that leave at once one must be the last. */
async function afterLeaving(
  { directory, host }: SegmentParts,
  found: Stored<SegmentRecord>,
): Promise<readonly Change[]> {
  const { record, revision } = found
  const { tenant, name } = record
  const holds = await listRecords(directory, SegmentHostRecord, directoryKeys.segmentHosts(tenant, name))
  if (holds.every((hold) => hold.host === host)) return removal(found)
  return [{ kind: 'swap', key: directoryKeys.segment(tenant, name), value: formatRecord(record), revision }]
}
