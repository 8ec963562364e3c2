/** JavaScript files out of a TypeScript entry and all it imports. */
import { isBuiltin } from 'node:module'
import { type RolldownOutput, rolldown } from 'rolldown'

/**
 * Parts of the packages that are compiled for one machine, and do without: faster encryption for Docker over SSH, which nobody
 * asks for here.
 */
const NATIVE = [/^cpu-features$/, /\.node$/]

/**
 * Bundles an entry and its packages for Node.
 * @param entry path relative to `projectDir`
 * @param target the oldest Node that must understand the result, such as `node20`
 * @returns the text of an ECMAScript module that imports nothing but Node's own modules
 * @throws Error when something could not be bundled in
 */
export async function bundle(entry: string, projectDir: string, target: string): Promise<string> {
  await using build = await openBuild(entry, projectDir, target)
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  return checkComplete(entry, output)[0].code
}

/**
 * The same in several files: what the entry imports only when it is needed, such as the client of etcd, stays out of the way of who
 * does not need it.
 * @returns the texts of modules by file name, that of the entry being `entryName`
 * @throws Error when something could not be bundled in
 */
export async function bundleInParts(
  entry: string,
  entryName: string,
  projectDir: string,
  target: string,
): Promise<ReadonlyMap<string, string>> {
  await using build = await openBuild(entry, projectDir, target)
  const names = { entryFileNames: entryName, chunkFileNames: '[name].js' }
  const { output } = await build.generate({ format: 'esm', ...names })
  return new Map(checkComplete(entry, output).map(({ fileName, code }) => [fileName, code]))
}

function openBuild(input: string, cwd: string, target: string) {
  return rolldown({ input, cwd, platform: 'node', external: NATIVE, transform: { target } })
}

type Output = RolldownOutput['output']
type Chunk = Output[0]

function checkComplete(entry: string, [first, ...others]: Output): [Chunk, ...Chunk[]] {
  const chunks = others.filter((other) => other.type === 'chunk')
  const assets = others.filter((other) => other.type === 'asset')
  const made = new Set(chunks.map(({ fileName }) => fileName))
  const outside = [first, ...chunks]
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((name) => !isBuiltin(name) && !made.has(name) && !NATIVE.some((native) => native.test(name)))
  const left = [...new Set(outside), ...assets.map(({ fileName }) => fileName)]
  if (left.length > 0) {
    throw new Error(`Cannot bundle ${entry}: ${left.join(', ')} stayed outside`)
  }
  return [first, ...chunks]
}
