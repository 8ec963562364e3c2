/** The root file system without the plugin, kept between builds: only a change of Debian, Node or the recipe renews it. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import { run } from './command.ts'
import type { Architecture } from './plugin-architecture.ts'
import { nodePackage } from './plugin-node.ts'
import { packageFiles } from './plugin-packages.ts'
import { makeRootfs, type RootfsParts } from './plugin-rootfs.ts'
import { replaceDirectory } from './plugin-tree.ts'

/** The sources that decide what a base holds, beside its packages. */
const RECIPE = ['plugin-architecture.ts', 'plugin-libraries.ts', 'plugin-rootfs.ts']

const Stamp = v.object({ recipe: v.string(), compressedBytes: v.number() })
type Stamp = v.InferOutput<typeof Stamp>

/** A base that is ready to be copied. */
export interface Base {
  readonly rootfs: string
  /** The size of `tar | gzip -6` of it. */
  readonly compressedBytes: number
}

/**
 * The base for an architecture, in `directory`; makes it when there is none or when it is out of date.
 * @throws Error or ExecaError when a part cannot be had
 */
export async function currentBase(
  architecture: Architecture,
  { directory, projectDir, cacheDir }: { directory: string; projectDir: string; cacheDir: string },
): Promise<Base> {
  const packages = await packageFiles(architecture, cacheDir)
  const node = await nodePackage(architecture, projectDir, cacheDir)
  const recipe = recipeOf([architecture.name, node.version, ...packages.map((file) => basename(file))])
  const stamp = readStamp(directory)
  const { compressedBytes } =
    stamp?.recipe === recipe
      ? stamp
      : await renew(directory, recipe, { architecture, packages, node: node.directory })
  return { rootfs: join(directory, 'rootfs'), compressedBytes }
}

async function renew(directory: string, recipe: string, parts: RootfsParts): Promise<Stamp> {
  mkdirSync(dirname(directory), { recursive: true })
  const work = mkdtempSync(join(dirname(directory), '.new-'))
  try {
    const fresh = join(work, 'base')
    await makeRootfs(join(fresh, 'rootfs'), join(work, 'unpacked'), parts)
    const stamp = { recipe, compressedBytes: await compressedSize(fresh, join(work, 'rootfs.tar.gz')) }
    writeFileSync(join(fresh, 'stamp.json'), JSON.stringify(stamp))
    replaceDirectory(fresh, directory, join(work, 'old'))
    return stamp
  } finally {
    rmSync(work, { recursive: true })
  }
}

async function compressedSize(directory: string, archive: string): Promise<number> {
  await run('tar', ['--create', '--use-compress-program', 'gzip -6', '--file', archive, 'rootfs'], {
    cwd: directory,
  })
  return statSync(archive).size
}

function recipeOf(inputs: readonly string[]): string {
  const sources = RECIPE.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  return hash('sha256', [...inputs, ...sources].join('\n'))
}

function readStamp(directory: string): Stamp | undefined {
  const path = join(directory, 'stamp.json')
  return existsSync(path) ? v.parse(Stamp, JSON.parse(readFileSync(path, 'utf8'))) : undefined
}
