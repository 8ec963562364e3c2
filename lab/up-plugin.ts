/** Builds the plugin when it is older than its sources, and installs or upgrades it. */
import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './command.ts'
import type { Docker } from './image.ts'
import type { UpEngine } from './up-engine.ts'

/** Not `romana`, which is the plain driver name that the plugin serves beside its own. */
export const PLUGIN = 'romana-net'

const PROJECT = dirname(import.meta.dirname)
export const DIRECTORY = join(PROJECT, 'dist/plugin')
/** Written last by a build; the files of the plugin itself carry the time of the commit. */
export const COMMAND = join(PROJECT, 'dist/romana.js')
const SOURCES = [
  '{address,cli,cluster,host,ipam-driver,network-driver,plugin,store}/**/*.ts',
  'lab/{build-plugin,plugin-*}.ts',
  'errors.ts',
  'config.json',
  'package-lock.json',
]

/** Whether the plugin had to be built. @throws ExecaError when it cannot be */
export async function ensureBuilt(): Promise<boolean> {
  const newestSource = Math.max(
    ...globSync(SOURCES, { cwd: PROJECT }).map((file) => timeOf(join(PROJECT, file))),
  )
  if (existsSync(DIRECTORY) && buildTime() > newestSource) return false
  await run(process.execPath, [join(import.meta.dirname, 'build-plugin.ts')], { cwd: PROJECT })
  return true
}

/** Milliseconds since 1970; 0 when nothing was built. */
export function buildTime(): number {
  return timeOf(COMMAND)
}

/** What was done to get the plugin of this build: undefined when it was there. @throws ExecaError */
export async function ensureInstalled(
  engine: UpEngine,
  installedBuild: number | undefined,
): Promise<'installed' | 'upgraded' | undefined> {
  const present = await isInstalled(engine.docker)
  if (present && installedBuild === buildTime()) return undefined
  if (present) await removePlugin(engine.docker)
  await engine.installPlugin({ alias: PLUGIN, directory: DIRECTORY })
  return present ? 'upgraded' : 'installed'
}

/** Removes the plugin; its journal stays. Does nothing when there is none. @throws ExecaError */
export async function removePlugin(docker: Docker): Promise<void> {
  if (await isInstalled(docker)) await docker(['plugin', 'rm', '--force', PLUGIN])
}

/** Gives the plugin another address plan. @throws ExecaError */
export async function changePlan(docker: Docker, plan: string): Promise<void> {
  await docker(['plugin', 'disable', '--force', PLUGIN])
  await docker(['plugin', 'set', PLUGIN, `ROMANA_PLAN=${plan}`])
  await docker(['plugin', 'enable', PLUGIN])
}

/** Whether the engine has a plugin of that name. */
export async function isInstalled(docker: Docker): Promise<boolean> {
  const { exitCode } = await docker(['plugin', 'inspect', PLUGIN], { reject: false })
  return exitCode === 0
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
