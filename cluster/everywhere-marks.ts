/** The marks in the directory of segments that shall be a Docker network on every host. */
import { setTimeout as delay } from 'node:timers/promises'
import { RomanaError } from '../errors.ts'
import type { Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { EverywhereRecord, formatRecord, listRecords } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** @throws RomanaError E_STORE, E_RECORD */
export function listMarks(directory: Store): Promise<EverywhereRecord[]> {
  return listRecords(directory, EverywhereRecord, directoryKeys.allEverywhere())
}

/** Well when it is marked so already. @throws RomanaError E_SEGMENT_EXISTS when another segment has the name, E_STORE, E_RECORD */
export async function markEverywhere(directory: Store, mark: EverywhereRecord): Promise<void> {
  const other = (await listMarks(directory)).find(
    ({ network, tenant, segment }) =>
      network === mark.network && (tenant !== mark.tenant || segment !== mark.segment),
  )
  if (other !== undefined) {
    throw new RomanaError('E_SEGMENT_EXISTS', {
      cannot: `make the network "${mark.network}" everywhere`,
      because: `segment "${other.segment}" of tenant "${other.tenant}" has it`,
      remedy: 'Choose another name with --network NAME',
    })
  }
  const key = directoryKeys.everywhere(mark.tenant, mark.segment)
  await directory.commit([{ kind: 'put', key, value: formatRecord(mark) }])
}

/** Whether there was a mark. @throws RomanaError E_STORE */
export async function unmarkEverywhere(directory: Store, tenant: Name, segment: Name): Promise<boolean> {
  const key = directoryKeys.everywhere(tenant, segment)
  if ((await directory.get(key)) === undefined) return false
  await directory.commit([{ kind: 'remove', key }])
  return true
}

/** Milliseconds between two looks at who holds a segment. */
const LOOK_MS = 250

/** Resolves when no host holds the segment any more, or after `timeoutMs`. @throws RomanaError E_STORE */
export async function whenNobodyHolds(
  directory: Store,
  tenant: Name,
  segment: Name,
  timeoutMs: number,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (performance.now() < endMs) {
    const { entries } = await directory.list(directoryKeys.segmentHosts(tenant, segment))
    if (entries.length === 0) return
    await delay(LOOK_MS)
  }
}
