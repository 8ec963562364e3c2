/** The file of an embedded store: made, locked, checked and brought to the schema of this version. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { RomanaError } from '../errors.ts'
import { DAMAGED, storeError } from './embedded-errors.ts'
import { SCHEMA, SCHEMA_VERSION, SqliteTables } from './embedded-tables.ts'

/**
 * The tables of this file, locked until they are closed.
 * @throws RomanaError E_STORE
 */
export function openTables(path: string, keptRevisions: number): SqliteTables {
  try {
    createFile(path)
    const database = new DatabaseSync(path)
    try {
      prepareDatabase(database, path)
      return new SqliteTables(path, database, keptRevisions)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw storeError('open', path, error)
  }
}

/** SQLite takes an empty file for an empty database, and gives its "-wal" file the same mode. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    // Only a new file may be opened here: closing one that this process has open would drop its lock (fcntl(2)).
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function prepareDatabase(database: DatabaseSync, path: string): void {
  // The exclusive mode comes first, so that the lock is taken with the first access and kept.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  checkSoundness(database, path)
  migrate(database, path)
}

const SoundnessRow = v.object({ quick_check: v.string() })
const VersionRow = v.object({ user_version: v.number() })

function checkSoundness(database: DatabaseSync, path: string): void {
  const { quick_check: found } = v.parse(SoundnessRow, database.prepare('PRAGMA quick_check(1)').get())
  if (found === 'ok') return
  throw new RomanaError('E_STORE', { cannot: `open the store "${path}"`, ...DAMAGED, cause: found })
}

function migrate(database: DatabaseSync, path: string): void {
  const { user_version: version } = v.parse(VersionRow, database.prepare('PRAGMA user_version').get())
  if (version > SCHEMA_VERSION) {
    throw new RomanaError('E_STORE', {
      cannot: `open the store "${path}"`,
      because: `a newer version of Romana wrote it: its schema is ${version}, this version knows ${SCHEMA_VERSION}`,
      remedy: 'Install that version again',
    })
  }
  if (version === 0) database.exec(`BEGIN; ${SCHEMA}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}
