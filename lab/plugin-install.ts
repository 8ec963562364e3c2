import { cpSync, rmSync } from 'node:fs'
import type { HostNamespaces } from './host-namespaces.ts'
import type { Docker } from './image.ts'

/** A managed plugin to be. */
export interface PluginInstall {
  /** What the engine calls it, such as "romana-net". */
  readonly alias: string
  /** Holds config.json and rootfs, as `docker plugin create` wants it. */
  readonly directory: string
  /** Values for the settings of config.json: `{ ROMANA_LOG_LEVEL: 'debug' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Creates a plugin, sets it and enables it. @throws ExecaError with what the engine says */
export async function installPlugin(
  docker: Docker,
  { alias, directory, settings = {} }: PluginInstall,
): Promise<void> {
  await docker(['plugin', 'create', alias, directory])
  const values = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  if (values.length > 0) await docker(['plugin', 'set', alias, ...values])
  await docker(['plugin', 'enable', alias])
}

/** Shows a directory of this machine to a host as a copy, while `use` runs. */
export async function withCopyInside<T>(
  host: HostNamespaces,
  directory: string,
  use: (inside: string) => Promise<T>,
): Promise<T> {
  const inside = '/var/tmp/copy'
  const copy = host.rootPath(inside)
  try {
    cpSync(directory, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
    return await use(inside)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
