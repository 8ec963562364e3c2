/** The rules of the source tree: who may import whom, and what may stand where. Pure. */
import { posix } from 'node:path'
import { findCycles } from './import-cycles.ts'
import { COMPUTED, readSource, type SourceFacts, type SourceFile } from './source-file.ts'

/** The folders of the product, and which others each may import. All may import errors.ts. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  address: [],
  store: ['address'],
  host: ['address'],
  'ipam-driver': ['store', 'address'],
  'network-driver': ['store', 'host', 'address'],
  cluster: ['store', 'address'],
  plugin: ['ipam-driver', 'network-driver', 'cluster', 'store', 'host', 'address'],
  cli: ['address'],
  lab: [],
  'errors.ts': [],
}

/** Proof may import everything. */
const PROOF = ['test', 'bench']

/** Folders that may import these packages only; a final colon stands for all of node's own modules. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  address: ['ipaddr.js'],
  store: ['valibot', 'etcd3', 'cockatiel', 'node:'],
  cluster: ['valibot', 'node:'],
}

/** Packages that only these files and folders of the product may import. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  execa: ['host/processes.ts', 'lab/'],
  'node:child_process': ['host/processes.ts', 'lab/'],
  hono: ['plugin/'],
  '@hono/node-server': ['plugin/'],
  'node:sqlite': ['store/'],
  etcd3: ['store/'],
  cockatiel: ['store/'],
  dockerode: ['plugin/engine.ts', 'lab/'],
}

const ENVIRONMENT_READERS = ['plugin/config.ts', 'cli/main.ts']
const DEFAULT_EXPORTERS = ['test/vitest.config.ts']
const EMPTY_NAMES = ['utils', 'helpers', 'common', 'manager', 'types', 'index']

/** Every breach of the rules, one sentence each: file, import and rule. */
export function findBreaches(files: readonly SourceFile[]): string[] {
  const sources = files.map(readSource)
  const product = sources.filter(({ path }) => !PROOF.includes(topOf(path)))
  return [
    ...product.flatMap((source) => [
      ...unknownFolder(source),
      ...forbiddenArrows(source),
      ...forbiddenPackages(source),
      ...misplacedPackages(source),
      ...hiddenImports(source),
      ...misplacedEnvironment(source),
    ]),
    ...sources.flatMap((source) => [...emptyName(source), ...defaultExport(source)]),
    ...findCycles(sources).map((cycle) => `${cycle.join(' -> ')} -> ${cycle[0]} is a ring of imports`),
  ]
}

function unknownFolder({ path }: SourceFacts): string[] {
  if (ARROWS[topOf(path)] !== undefined) return []
  return [`${path} lies outside the folders of the product: ${Object.keys(ARROWS).join(', ')}`]
}

function forbiddenArrows({ path, files }: SourceFacts): string[] {
  const top = topOf(path)
  const allowed = [...(ARROWS[top] ?? []), 'errors.ts']
  return files
    .filter((file) => ![top, ...allowed].includes(topOf(file)))
    .map((file) => `${path} imports ${file}: ${top} may import ${allowed.join(', ')} only`)
}

function forbiddenPackages({ path, packages }: SourceFacts): string[] {
  const allowed = PACKAGES[topOf(path)]
  if (allowed === undefined) return []
  return packages
    .filter((name) => !allowed.includes(name) && !allowed.includes(name.replace(/:.*/, ':')))
    .map(
      (name) => `${path} imports ${name}: ${topOf(path)} may import the packages ${allowed.join(', ')} only`,
    )
}

function misplacedPackages({ path, packages }: SourceFacts): string[] {
  return packages.flatMap((name) => {
    const places = PLACES[name]
    if (places === undefined || places.some((place) => path.startsWith(place))) return []
    return [`${path} imports ${name}: only ${places.join(', ')} may`]
  })
}

function hiddenImports({ path, packages }: SourceFacts): string[] {
  if (!packages.includes(COMPUTED)) return []
  return [`${path} imports what it computes: write the name, so that the rules can be checked`]
}

function misplacedEnvironment({ path, readsEnvironment }: SourceFacts): string[] {
  if (!readsEnvironment || ENVIRONMENT_READERS.includes(path)) return []
  return [`${path} reads process.env: only ${ENVIRONMENT_READERS.join(', ')} may`]
}

function emptyName({ path }: SourceFacts): string[] {
  const name = posix.basename(path).split('.')[0] ?? ''
  return EMPTY_NAMES.includes(name)
    ? [`${path} has a name that says nothing: name it after what it holds`]
    : []
}

function defaultExport({ path, hasDefaultExport }: SourceFacts): string[] {
  if (!hasDefaultExport || DEFAULT_EXPORTERS.includes(path)) return []
  return [`${path} has a default export: only ${DEFAULT_EXPORTERS.join(', ')} may`]
}

/** "host" of "host/marks.ts", "errors.ts" of itself. */
function topOf(path: string): string {
  return path.split('/')[0] ?? path
}
