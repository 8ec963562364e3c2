/** A host of the lab with the plugin, as the engine tests use it. Networks and containers are made by the docker CLI only. */
import { type Lab, type LabHostOptions, startLab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'

export const IMAGE = 'romana-lab/busybox'
export const PLUGIN = 'romana-net'
export const PLUGIN_DIRECTORY = 'dist/plugin'

export interface RomanaHost extends AsyncDisposable {
  readonly lab: Lab
  readonly host: LabHost
}

/** One host with the plugin enabled. @param settings values of the plugin's settings */
export async function startRomanaHost(
  options: Omit<LabHostOptions, 'name'> & { readonly lab: string },
  settings: Readonly<Record<string, string>> = {},
): Promise<RomanaHost> {
  const { lab: name, ...hostOptions } = options
  const lab = await startLab({ name, hosts: [{ name: 'h1', ...hostOptions }], underlay: 'layer2' })
  const [host] = lab.hosts
  if (host === undefined) throw new Error('The lab has no host')
  try {
    await host.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY, settings })
  } catch (error) {
    await lab.stop()
    throw error
  }
  return { lab, host, [Symbol.asyncDispose]: lab.stop }
}

/** `docker network create` under the plain name. */
export async function createNetwork(host: LabHost, name: string, ...args: readonly string[]): Promise<void> {
  await host.docker(['network', 'create', '-d', 'romana', '--ipam-driver', 'romana', ...args, name])
}

/** A network of a tenant's segment, called TENANT-SEGMENT. */
export async function createSegmentNetwork(
  host: LabHost,
  tenant: string,
  segment: string,
  ...args: readonly string[]
): Promise<string> {
  const name = `${tenant}-${segment}`
  const options = ['--ipam-opt', `tenant=${tenant}`, '--ipam-opt', `segment=${segment}`]
  await createNetwork(host, name, ...options, ...args)
  return name
}

/** Starts a container that does nothing. @param args of `docker run` */
export async function startIdle(
  host: LabHost,
  name: string,
  network: string,
  ...args: readonly string[]
): Promise<void> {
  await host.docker([
    'run',
    '--detach',
    '--name',
    name,
    '--network',
    network,
    ...args,
    IMAGE,
    'sleep',
    '100000',
  ])
}

/** The container's IPv4 address on its only network. */
export async function addressOf(host: LabHost, container: string): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
  return (await host.docker(['inspect', '--format', format, container])).stdout.trim()
}

/** Its IPv6 address there. */
export async function address6Of(host: LabHost, container: string): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}'
  return (await host.docker(['inspect', '--format', format, container])).stdout.trim()
}

/** What a docker command printed to standard error, with its exit code not 0. */
export async function failureOf(host: LabHost, args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await host.docker(args, { reject: false })
  if (exitCode === 0) throw new Error(`docker ${args.join(' ')} succeeded`)
  return stderr
}
