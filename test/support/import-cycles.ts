/** Files that import each other in a ring. Pure. */
import type { SourceFacts } from './source-file.ts'

/** One ring for each import that closes one, as the files in order: the last imports the first. */
export function findCycles(sources: readonly SourceFacts[]): readonly string[][] {
  const importsOf = new Map(sources.map(({ path, files }) => [path, files]))
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (path: string, above: readonly string[]) => {
    if (above.includes(path)) cycles.push(above.slice(above.indexOf(path)))
    else if (!done.has(path)) {
      for (const target of importsOf.get(path) ?? []) visit(target, [...above, path])
      done.add(path)
    }
  }
  for (const { path } of sources) visit(path, [])
  return cycles
}
