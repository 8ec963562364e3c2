/** The root file systems of the lab's hosts: a small Debian with Docker, made once per machine. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'

const CACHE = '/var/cache/romana-lab'

/** `sid` has Docker 28 or newer, `bookworm` has Docker 20.10. */
export type Release = 'sid' | 'bookworm'

/**
 * The directory of a release's root file system, to be used read-only. The first call on a machine makes it in about 40 s
 * and says so; processes that ask at the same time wait for each other. Removing the directory renews it.
 * @throws ExecaError when debootstrap fails
 */
export async function engineRoot(release: Release): Promise<string> {
  const directory = join(CACHE, release)
  if (existsSync(directory)) return directory
  console.error(`Installing Debian ${release} with Docker into ${directory}; this takes about 40 s, once`)
  mkdirSync(CACHE, { recursive: true })
  const program = join(import.meta.dirname, 'make-engine-root.ts')
  await run('flock', ['--no-fork', `${directory}.lock`, process.execPath, program, release, directory])
  return directory
}
