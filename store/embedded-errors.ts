/** What SQLite and the file system throw, as an error a person can act on. */
import { isValiError } from 'valibot'
import { type ErrorParts, RomanaError, reasonOf } from '../errors.ts'

type Explanation = Pick<ErrorParts, 'because' | 'remedy'>

const LOCKED: Explanation = {
  because: 'another plugin, or another program, has it open',
  remedy: 'Stop the other one, or give this plugin a state directory of its own',
}
const FORBIDDEN: Explanation = {
  because: 'the file or its directory cannot be opened for writing',
  remedy: 'Make them writable for the plugin (owner root, file system not read-only)',
}
const FULL: Explanation = {
  because: 'the disk is full',
  remedy: 'Free space on its file system; nothing was changed, and the plugin goes on once there is space',
}
/** Of a file that is not a sound database. */
export const DAMAGED: Explanation = {
  because: 'the file is damaged, or it is no store of Romana',
  remedy: 'Restore it from a backup, or move it and its "-wal" file away to begin with an empty one',
}

/** By primary result code of SQLite (https://sqlite.org/rescode.html) or code of the system call. */
const EXPLANATIONS: ReadonlyMap<unknown, Explanation> = new Map<unknown, Explanation>([
  [1, DAMAGED],
  [3, FORBIDDEN],
  [5, LOCKED],
  [8, FORBIDDEN],
  [11, DAMAGED],
  [13, FULL],
  [14, FORBIDDEN],
  [26, DAMAGED],
  ['EACCES', FORBIDDEN],
  ['EPERM', FORBIDDEN],
  ['EROFS', FORBIDDEN],
  ['ENOSPC', FULL],
])

/** `cannot` is the action on the store "`path`", as it follows "Cannot": `read "/a" of`. */
export function storeError(cannot: string, path: string, thrown: unknown): RomanaError {
  if (thrown instanceof RomanaError) return thrown
  return new RomanaError('E_STORE', {
    cannot: `${cannot} the store "${path}"`,
    ...explain(thrown),
    cause: thrown,
  })
}

function explain(thrown: unknown): Explanation {
  if (isValiError(thrown)) return DAMAGED
  const code = codeOf(thrown)
  const known = EXPLANATIONS.get(code)
  if (known !== undefined) return known
  return {
    because: `${reasonOf(thrown)} (${code})`,
    remedy: 'Check its file system: mount, permissions, and errors in the log of the kernel (dmesg)',
  }
}

function codeOf(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return undefined
  // The low byte of an extended result code is the primary one.
  if ('errcode' in thrown && typeof thrown.errcode === 'number') return thrown.errcode & 0xff
  return 'code' in thrown ? thrown.code : undefined
}
