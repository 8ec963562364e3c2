/**
 * The record of an address whose rest is over says no more than when it was given back. Where a cell is so large that its
 * turn never comes again, the journal would grow with every container; so the oldest of these records go, every now and then.
 */
import { journalKeys } from '../store/keys.ts'
import { AddressRecord, listStored } from '../store/records.ts'
import { type Change, MAX_CHANGES } from '../store/store.ts'
import type { AddressParts } from './addresses.ts'

/** Releases between two looks, at least: a look reads the records of all addresses. */
const LEAST_RELEASES = 256

/** So many stay, of all cells: what has no record comes before them in its turn, so the order is kept but among the oldest. */
const KEPT = 1024

/**
 * Called at each release. Looks at the first one, and then after as many releases as it has seen records, so that a
 * release costs the same however many there are. @throws RomanaError E_STORE, E_RECORD
 */
export function makeRestedSweep({ journal, age }: AddressParts): () => Promise<void> {
  let releasesLeft = 0
  return async () => {
    releasesLeft -= 1
    if (releasesLeft >= 0) return
    const { stored } = await listStored(journal, AddressRecord, journalKeys.addresses())
    releasesLeft = Math.max(LEAST_RELEASES, stored.length)
    const rested = stored.filter(({ record, revision }) => record.state === 'resting' && age.isOld(revision))
    const removals = rested
      .sort((a, b) => a.revision - b.revision)
      .slice(0, -KEPT)
      .map(
        ({ record, revision }): Change => ({
          kind: 'remove',
          key: journalKeys.address(record.address),
          revision,
        }),
      )
    // One that is somebody's by now keeps its batch from going: until the next look.
    while (removals.length > 0) await journal.commit(removals.splice(0, MAX_CHANGES))
  }
}
