/** The Node binary of the plugin: that of the npm package pinned in package.json. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { run } from './command.ts'
import type { Architecture } from './plugin-architecture.ts'
import { moveIntoPlace } from './plugin-tree.ts'

const Lock = v.object({
  packages: v.record(
    v.string(),
    v.object({ version: v.optional(v.string()), integrity: v.optional(v.string()) }),
  ),
})
const Manifest = v.object({ version: v.string() })
const Packed = v.tuple([v.object({ filename: v.string() })])

/** An unpacked npm package with `bin/node` and `LICENSE`. */
export interface NodePackage {
  readonly version: string
  readonly directory: string
}

interface Pin {
  readonly name: string
  readonly version: string
  /** Subresource integrity of the packed file: `sha512-…`. */
  readonly integrity: string
}

/**
 * The Node package of an architecture: the installed one, or, for another architecture than this machine's, one fetched
 * by npm and cached.
 * @throws Error when package-lock.json does not pin it or what npm fetched is not what was pinned
 */
export async function nodePackage(
  architecture: Architecture,
  projectDir: string,
  cacheDir: string,
): Promise<NodePackage> {
  const pin = pinOf(architecture.nodePackage, projectDir)
  const installed = join(projectDir, 'node_modules', pin.name)
  if (versionIn(installed) === pin.version) return { version: pin.version, directory: installed }
  const directory = join(cacheDir, 'node', `${pin.name}-${pin.version}`)
  if (!existsSync(directory)) await fetchPackage(pin, join(cacheDir, 'node'), directory)
  return { version: pin.version, directory }
}

function pinOf(name: string, projectDir: string): Pin {
  const lock = v.parse(Lock, readJson(join(projectDir, 'package-lock.json')))
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {}
  if (version === undefined || integrity === undefined) {
    throw new Error(`Cannot choose a Node binary: package-lock.json does not pin ${name}. Run "npm install"`)
  }
  return { name, version, integrity }
}

function versionIn(directory: string): string | undefined {
  const path = join(directory, 'package.json')
  return existsSync(path) ? v.parse(Manifest, readJson(path)).version : undefined
}

async function fetchPackage(pin: Pin, parent: string, target: string): Promise<void> {
  mkdirSync(parent, { recursive: true })
  const temporary = mkdtempSync(join(parent, '.new-'))
  try {
    const packed = await run('npm', ['pack', '--json', `${pin.name}@${pin.version}`], { cwd: temporary })
    const [{ filename }] = v.parse(Packed, JSON.parse(packed.stdout))
    checkIntegrity(pin, join(temporary, filename))
    await run('tar', ['--extract', '--file', filename], { cwd: temporary })
    moveIntoPlace(join(temporary, 'package'), target)
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function checkIntegrity({ name, version, integrity }: Pin, file: string): void {
  const found = `sha512-${hash('sha512', readFileSync(file), 'base64')}`
  if (found === integrity) return
  throw new Error(`Cannot use ${name} ${version}: it has ${found}, and package-lock.json wants ${integrity}`)
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
