/** Small Debian systems as directories, made by debootstrap once per machine and kept. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'

const CACHE = '/var/cache/romana-lab'

/** A Debian system to be. */
export interface DebianSpec {
  /** Debian's name of a release, such as "bookworm". */
  readonly release: string
  /** What is installed beside the least that apt needs, with dependencies and without recommendations. */
  readonly packages: readonly string[]
}

/**
 * The directory of a Debian system, to be used read-only. The first call on a machine makes it, which takes about 40 s and
 * is said; processes that ask at the same time wait for each other. Removing the directory renews it.
 * @throws ExecaError when debootstrap fails
 */
export async function debianRoot({ release, packages }: DebianSpec): Promise<string> {
  // Other packages, another directory: a root in use is never changed.
  const directory = join(CACHE, `${release}-${hash('sha256', packages.join(' ')).slice(0, 8)}`)
  if (existsSync(directory)) return directory
  console.error(`Installing Debian ${release} into ${directory}; this takes about 40 s, once`)
  mkdirSync(CACHE, { recursive: true })
  const program = join(import.meta.dirname, 'make-debian-root.ts')
  const lock = ['--no-fork', `${directory}.lock`]
  await run('flock', [...lock, process.execPath, program, release, directory, ...packages])
  return directory
}
