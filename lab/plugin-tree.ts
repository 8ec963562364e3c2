/** Directory trees of the build: put in place whole, made the same every time, and told apart by one hash. */
import { hash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'

/** Moves a finished directory to where it stays for good. When another build was faster, that one's stays. */
export function moveIntoPlace(source: string, target: string): void {
  try {
    renameSync(source, target)
  } catch (error) {
    if (!existsSync(target)) throw error
  }
}

/** Moves a finished directory over an older one, which goes to `aside`. A reader never sees a mixture of both. */
export function replaceDirectory(source: string, target: string, aside: string): void {
  if (existsSync(target)) renameSync(target, aside)
  renameSync(source, target)
}

/**
 * Gives everything in a tree the same time (seconds since 1970) and one of two modes, so that neither the clock nor the
 * umask of a build shows in it.
 */
export function fixTimesAndModes(root: string, seconds: number): void {
  for (const path of ['', ...pathsIn(root)]) {
    const full = join(root, path)
    const stats = lstatSync(full)
    if (!stats.isSymbolicLink())
      chmodSync(full, stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644)
    lutimesSync(full, seconds, seconds)
  }
}

/** What a tree holds. */
export interface TreeSummary {
  /** The sum of the sizes of its files. */
  readonly bytes: number
  /** SHA-256, in hex, over a sorted list of paths with mode, time and content. Equal trees, and only those, have equal hashes. */
  readonly sha256: string
}

/** Reads a whole tree. */
export function summarize(root: string): TreeSummary {
  const entries = pathsIn(root).map((path) => ({ path, stats: lstatSync(join(root, path)) }))
  const lines = entries.map(({ path, stats }) => {
    const mode = stats.mode.toString(8)
    return `${mode} ${Math.floor(stats.mtimeMs / 1000)} ${contentOf(join(root, path), stats)} ${path}\n`
  })
  const sizes = entries.map(({ stats }) => (stats.isFile() ? stats.size : 0))
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), sha256: hash('sha256', lines.join('')) }
}

/** All paths below a directory, sorted. The `recursive` of `readdir` would also walk through symbolic links. */
function pathsIn(root: string, below = ''): readonly string[] {
  const entries = readdirSync(join(root, below), { withFileTypes: true })
  const paths = entries.flatMap((entry) => {
    const path = join(below, entry.name)
    return entry.isDirectory() ? [path, ...pathsIn(root, path)] : [path]
  })
  return paths.sort()
}

function contentOf(path: string, stats: Stats): string {
  if (stats.isSymbolicLink()) return readlinkSync(path)
  return stats.isFile() ? hash('sha256', readFileSync(path)) : '-'
}
