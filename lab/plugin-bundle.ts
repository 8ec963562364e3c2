/** One JavaScript file out of a TypeScript entry and all it imports. */
import { isBuiltin } from 'node:module'
import { rolldown } from 'rolldown'

/**
 * Bundles an entry and its packages for Node.
 * @param entry path relative to `projectDir`
 * @param target the oldest Node that must understand the result, such as `node20`
 * @returns the text of an ECMAScript module that imports nothing but Node's own modules
 * @throws Error when something could not be bundled in
 */
export async function bundle(entry: string, projectDir: string, target: string): Promise<string> {
  await using build = await rolldown({
    input: entry,
    cwd: projectDir,
    platform: 'node',
    transform: { target },
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  const [chunk, ...others] = output
  const outside = [...chunk.imports, ...chunk.dynamicImports].filter((name) => !isBuiltin(name))
  const left = [...outside, ...others.map((other) => other.fileName)]
  if (left.length > 0) {
    throw new Error(`Cannot bundle ${entry} into one file: ${left.join(', ')} stayed outside`)
  }
  return chunk.code
}
