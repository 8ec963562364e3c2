/** A lab whose first host has a registry, and the plugin in it: what an upgrade or an installation from elsewhere needs. */
import { cpSync, rmSync } from 'node:fs'
import type { Release } from '../../lab/engine-root.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { registryAddress, startRegistry } from '../../lab/registry.ts'

export interface PluginRegistry extends AsyncDisposable {
  readonly lab: Lab
  /** The host that has the registry, and pushes. */
  readonly publisher: LabHost
  /** One for each release asked for; they have no plugin yet. */
  readonly installers: readonly LabHost[]
  /** What the engines call the plugin, without the tag: "198.18.1.11:5000/romana-net". */
  readonly repository: string
}

/** A registry, and hosts whose engines may use it. */
export async function startPluginRegistry(
  name: string,
  releases: readonly Release[],
): Promise<PluginRegistry> {
  const registry = registryAddress('layer2', 1)
  const engineArgs = ['--bridge=none', `--insecure-registry=${registry}`]
  const hosts = (['sid', ...releases] as const).map((release, index) => ({
    name: `h${index + 1}`,
    release,
    engineArgs,
  }))
  const lab = await startLab({ name, hosts, underlay: 'layer2' })
  try {
    const [publisher, ...installers] = lab.hosts
    if (publisher === undefined) throw new Error('The lab has no host')
    await startRegistry(publisher)
    const repository = `${registry}/romana-net`
    return { lab, publisher, installers, repository, [Symbol.asyncDispose]: lab.stop }
  } catch (error) {
    await lab.stop()
    throw error
  }
}

/** Creates a plugin of a directory of this machine on the publisher and pushes it. @throws ExecaError */
export async function publish({ publisher }: PluginRegistry, name: string, directory: string): Promise<void> {
  const inside = '/var/tmp/published'
  const copy = publisher.rootPath(inside)
  cpSync(directory, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  await publisher.docker(['plugin', 'create', name, inside])
  rmSync(copy, { recursive: true })
  await publisher.docker(['plugin', 'push', name])
}
