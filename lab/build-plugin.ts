/**
 * Builds the managed plugin: `node lab/build-plugin.ts [--arch amd64|arm64] [--time SECONDS]`. It makes dist/plugin, or for
 * another architecture than this machine's dist/plugin-<architecture>, ready for `docker plugin create`; and
 * dist/romana.js, the command line program. Every file of the plugin gets the time, in seconds since 1970; without it that
 * of the last commit, so that equal sources make equal plugins.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import * as v from 'valibot'
import { run } from './command.ts'
import { architectureOf } from './plugin-architecture.ts'
import { type Base, currentBase } from './plugin-base.ts'
import { bundle, bundleInParts } from './plugin-bundle.ts'
import { fixTimesAndModes, replaceDirectory, summarize, type TreeSummary } from './plugin-tree.ts'

const PROJECT = dirname(import.meta.dirname)
const DIST = join(PROJECT, 'dist')
const CACHE = '/var/cache/romana-lab'
const LIMITS = { rootfs: 130e6, compressed: 50e6 }

const Config = v.object({ mounts: v.array(v.object({ destination: v.string() })) })

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { arch: { type: 'string', default: process.arch }, time: { type: 'string' } },
  })
  const architecture = architectureOf(values.arch)
  const name = architecture === architectureOf(process.arch) ? 'plugin' : `plugin-${architecture.name}`
  const directory = join(DIST, `.plugin-base-${architecture.name}`)
  const base = await currentBase(architecture, { directory, projectDir: PROJECT, cacheDir: CACHE })
  const work = mkdtempSync(join(DIST, '.new-'))
  try {
    await build(work, base, { name, seconds: Number(values.time ?? (await commitTime())) })
  } finally {
    rmSync(work, { recursive: true })
  }
  console.log(`Built dist/${name} for ${architecture.name} and dist/romana.js`)
}

async function build(
  work: string,
  base: Base,
  { name, seconds }: { readonly name: string; readonly seconds: number },
): Promise<void> {
  const program = await bundleInParts('plugin/main.ts', 'plugin.js', PROJECT, 'node24')
  const command = await bundle('cli/main.ts', PROJECT, 'node20')
  const plugin = join(work, 'plugin')
  assemble(plugin, base, program, seconds)
  report(
    summarize(join(plugin, 'rootfs')),
    base.compressedBytes + gzipSync([...program.values()].join('')).length,
  )
  replaceDirectory(plugin, join(DIST, name), join(work, 'old'))
  writeFileSync(join(work, 'romana.js'), command)
  chmodSync(join(work, 'romana.js'), 0o755)
  renameSync(join(work, 'romana.js'), join(DIST, 'romana.js'))
}

/** Seconds since 1970, in decimal; empty without a commit. */
async function commitTime(): Promise<string> {
  return (await run('git', ['log', '-1', '--format=%ct'], { cwd: PROJECT, reject: false })).stdout
}

function assemble(target: string, base: Base, program: ReadonlyMap<string, string>, seconds: number): void {
  const rootfs = join(target, 'rootfs')
  const config = readFileSync(join(PROJECT, 'config.json'), 'utf8')
  cpSync(base.rootfs, rootfs, { recursive: true, verbatimSymlinks: true })
  for (const { destination } of v.parse(Config, JSON.parse(config)).mounts) {
    mkdirSync(join(rootfs, destination), { recursive: true })
  }
  mkdirSync(join(rootfs, 'romana'))
  // Without it Node reads the program as CommonJS first and warns.
  writeFileSync(join(rootfs, 'romana/package.json'), '{"type":"module"}\n')
  for (const [name, code] of program) writeFileSync(join(rootfs, 'romana', name), code)
  // The client of etcd reads them at run time, beside the directory of its program.
  cpSync(join(PROJECT, 'node_modules/etcd3/proto'), join(rootfs, 'proto'), { recursive: true })
  writeFileSync(join(target, 'config.json'), config)
  fixTimesAndModes(target, seconds)
}

function report({ bytes, sha256 }: TreeSummary, compressedBytes: number): void {
  console.log(`rootfs      ${megabytes(bytes)} of at most ${megabytes(LIMITS.rootfs)}`)
  console.log(`compressed  ${megabytes(compressedBytes)} of at most ${megabytes(LIMITS.compressed)}`)
  console.log(`sha256      ${sha256}`)
  if (bytes > LIMITS.rootfs || compressedBytes > LIMITS.compressed) {
    throw new Error('Cannot build the plugin: its root file system is too big')
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

await main()
