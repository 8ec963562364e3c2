/** The shared libraries that programs need, read from the ELF files themselves, so that any architecture will do. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'

/**
 * The libraries that ELF files need, directly and through other libraries: name as the loader asks for it -> file.
 * @param searchDirs where libraries are looked for, first match first
 * @throws Error when one is in none of the directories
 */
export async function librariesOf(
  files: readonly string[],
  searchDirs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  let unread = files
  while (unread.length > 0) {
    const { stdout } = await run('readelf', ['--dynamic', '--wide', ...unread])
    const names = [...neededNames(stdout)].filter((name) => !found.has(name))
    const located = names.map((name): [string, string] => [name, locate(name, searchDirs)])
    for (const [name, file] of located) found.set(name, file)
    unread = located.map(([, file]) => file)
  }
  return found
}

/** The names of the libraries in a report of `readelf --dynamic`. */
export function neededNames(report: string): ReadonlySet<string> {
  return new Set([...report.matchAll(/\(NEEDED\).*\[(.+)\]/g)].flatMap(([, name]) => name ?? []))
}

function locate(name: string, searchDirs: readonly string[]): string {
  const path = searchDirs.map((directory) => join(directory, name)).find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new Error(`Cannot complete the libraries: ${name} is not in ${searchDirs.join(' or ')}`)
  }
  return path
}
