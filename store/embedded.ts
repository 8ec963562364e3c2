/** The store in one SQLite file: the journal of a host, and the directory of a single host. */

import { openTables } from './embedded-file.ts'
import { Engine } from './local-engine.ts'
import type { Store } from './store.ts'

/** How many revisions a watch can go back, also over a restart. One is about as large as the values it wrote. */
const KEPT_REVISIONS = 10_000

/**
 * Opens the store of this file, alone: as long as it is open nobody else can open the file. Missing directories are made
 * with mode 0700, a missing file with 0600. A commit has been flushed to disk (fsync) when it resolves; a full disk fails
 * commits, changes nothing and hinders no reading.
 * @throws RomanaError E_STORE
 */
export async function openEmbeddedStore(path: string, keptRevisions = KEPT_REVISIONS): Promise<Store> {
  return new Engine(`the store "${path}"`, openTables(path, keptRevisions))
}
