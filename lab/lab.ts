/** Several Docker hosts on one machine, for tests, benchmarks and `npm run up`. */
import type { CommandResult, RunOptions } from './command.ts'
import { Engine } from './engine.ts'
import { engineRoot, type Release } from './engine-root.ts'
import { HostNamespaces, type HostSpec, runInNetwork } from './host-namespaces.ts'
import { loadImage, packImage } from './image.ts'
import { DEFAULT_ENGINE_ARGS, LabHost, type LabHostParts } from './lab-host.ts'
import { cgroupOf, checkName, hostDirectory, namespaceOf } from './lab-names.ts'
import { sweep } from './leftovers.ts'
import {
  attachHost,
  attachmentOf,
  OUTSIDE,
  startRouter,
  type UnderlayKind,
  type UnderlayOptions,
} from './underlay.ts'

const DEFAULT_MTU = 1500
const ROUTER = 'router'

/** One host to be. */
export interface LabHostOptions {
  readonly name: string
  readonly release: Release
  /** Arguments of dockerd; `--bridge=none` without them, so `[]` brings docker0. */
  readonly engineArgs?: readonly string[]
  /** The variant that the host's `iptables` is, and the engine uses; nft without it. */
  readonly iptables?: 'nft' | 'legacy'
}

/** A lab to be. */
export interface LabOptions {
  /** Up to 10 small letters and digits. A lab of this name that is there already is removed first. */
  readonly name: string
  readonly hosts: readonly LabHostOptions[]
  readonly underlay: UnderlayKind
  /** Bytes; 1500 without it. */
  readonly mtu?: number
}

/** The router between the hosts. */
export interface LabRouter {
  /** The name of its network namespace. */
  readonly netns: string
  /** Addresses that answer and belong to no host and no subnet of the hosts. */
  readonly outside: typeof OUTSIDE
  /** Runs a program of this machine in the router's network. @throws ExecaError */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>
}

/** A running lab. */
export interface Lab extends AsyncDisposable {
  /** In the order asked for. */
  readonly hosts: readonly LabHost[]
  readonly router: LabRouter
  /** Starts one more host. @throws Error or ExecaError */
  addHost(options: LabHostOptions): Promise<LabHost>
  /** Ends and removes everything. A second call does nothing. */
  stop(): Promise<void>
}

/** Starts hosts and the network between them. @throws Error or ExecaError; then nothing of the lab is left */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { name } = options
  for (const each of [name, ...options.hosts.map((host) => host.name)]) checkName(each)
  await sweep(name)
  const stop = () => sweep(name)
  try {
    const netns = namespaceOf(name, ROUTER)
    await startRouter(netns, underlayOf(options))
    const image = await packImage()
    const hosts = await allOrNone(options.hosts.map((_, index) => startHost(options, index, image)))
    const router = { netns, outside: OUTSIDE, run: runInNetwork.bind(undefined, netns) }
    const more = [...options.hosts]
    const addHost = (host: LabHostOptions) => {
      checkName(host.name)
      const index = more.push(host) - 1
      return startHost({ ...options, hosts: more }, index, image)
    }
    return { hosts, router, addHost, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Like Promise.all, but waits for all: nothing is started any more when the sweep begins. */
async function allOrNone<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return await Promise.all(promises)
}

/** A host of a lab that runs already, perhaps started by another process; undefined when there is none that answers. */
export async function findHost(lab: LabOptions, host: string): Promise<LabHost | undefined> {
  const index = lab.hosts.findIndex(({ name }) => name === host)
  const namespaces = HostNamespaces.find(specOf(lab.name, host))
  return namespaces && (await LabHost.of(partsOf(lab, index, namespaces)))
}

async function startHost(lab: LabOptions, index: number, image: Uint8Array): Promise<LabHost> {
  const { name, release } = optionsAt(lab, index)
  const spec = specOf(lab.name, name)
  const at = attachmentOf(lab.underlay, index + 1)
  await attachHost({ ...spec, router: namespaceOf(lab.name, ROUTER) }, underlayOf(lab), at)
  const parts = partsOf(lab, index, await HostNamespaces.boot(spec, await engineRoot(release)))
  await chooseIptables(parts.namespaces, optionsAt(lab, index))
  await parts.engine.start(parts.engineArgs)
  const host = await LabHost.of(parts)
  if (host === undefined) throw new Error(`Cannot use host ${name}: its engine stopped answering`)
  await loadImage(host.docker, image)
  return host
}

async function chooseIptables(host: HostNamespaces, { iptables = 'nft' }: LabHostOptions): Promise<void> {
  for (const name of ['iptables', 'ip6tables']) {
    await host.runInside('update-alternatives', ['--set', name, `/usr/sbin/${name}-${iptables}`])
  }
}

function partsOf(lab: LabOptions, index: number, namespaces: HostNamespaces): LabHostParts {
  const { name, engineArgs = DEFAULT_ENGINE_ARGS } = optionsAt(lab, index)
  const engine = new Engine(namespaces, cgroupOf(lab.name, name))
  return { namespaces, engine, engineArgs, attachment: attachmentOf(lab.underlay, index + 1) }
}

function optionsAt(lab: LabOptions, index: number): LabHostOptions {
  const options = lab.hosts[index]
  if (options === undefined)
    throw new Error(`Cannot find host ${index} of lab ${lab.name}: it has ${lab.hosts.length}`)
  return options
}

function specOf(lab: string, name: string): HostSpec {
  return { name, netns: namespaceOf(lab, name), directory: hostDirectory(lab, name) }
}

function underlayOf({ underlay, mtu = DEFAULT_MTU }: LabOptions): UnderlayOptions {
  return { kind: underlay, mtu }
}
