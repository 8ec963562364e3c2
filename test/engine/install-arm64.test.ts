/** The plugin for arm64, built here and judged by what lies in it: it cannot be run here. */
import { globSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { run } from '../../lab/command.ts'
import { PLUGIN_DIRECTORY } from '../support/romana-host.ts'

const DIRECTORY = 'dist/plugin-arm64'
const BUILD_TIMEOUT_MS = 300_000
/** e_machine of an ELF file (elf.h). */
const MACHINES: Readonly<Record<number, string>> = { 62: 'x86-64', 183: 'aarch64' }
const NOT_ELF = 'not ELF'

beforeAll(async () => {
  const build = ['lab/build-plugin.ts', '--arch', 'arm64']
  await run(process.execPath, build, { timeoutMs: BUILD_TIMEOUT_MS })
})

it('has the same config.json as the one for this machine', () => {
  expect(readFileSync(join(DIRECTORY, 'config.json'), 'utf8')).toBe(
    readFileSync(join(PLUGIN_DIRECTORY, 'config.json'), 'utf8'),
  )
})

it('has the same files, but for the names that an architecture has', () => {
  const common = (path: string) =>
    path
      .replace(/x86_64-linux-gnu|aarch64-linux-gnu/, 'TRIPLET')
      .replace(/^usr\/lib(64)?\/ld-/, 'usr/lib/ld-')
      .replace(/ld-linux-x86-64\.so\.2|ld-linux-aarch64\.so\.1/, 'LOADER')
  const files = (directory: string) => filesOf(directory).map(common).toSorted()
  expect(files(DIRECTORY)).toEqual(files(PLUGIN_DIRECTORY))
})

it('has programs and libraries for arm64 and for nothing else', () => {
  const machines = (directory: string) => {
    const found = filesOf(directory).map((path) => machineOf(join(directory, 'rootfs', path)))
    return [...new Set(found)].filter((machine) => machine !== NOT_ELF)
  }
  expect(machines(DIRECTORY)).toEqual(['aarch64'])
  expect(machines(PLUGIN_DIRECTORY)).toEqual(['x86-64'])
})

/** Relative to the root file system, sorted; directories are none, links are. */
function filesOf(directory: string): readonly string[] {
  const root = join(directory, 'rootfs')
  return globSync('**', { cwd: root }).filter((path) => !lstatSync(join(root, path)).isDirectory())
}

function machineOf(path: string): string {
  if (!lstatSync(path).isFile()) return NOT_ELF
  const head = readFileSync(path)
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return NOT_ELF
  const machine = head.readUInt16LE(18)
  return MACHINES[machine] ?? `machine ${machine}`
}
