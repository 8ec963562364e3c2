/** The Docker engine that `npm run up` works on: this machine's own, or else one of the lab. */
import { rmSync, symlinkSync } from 'node:fs'
import Dockerode from 'dockerode'
import { run } from './command.ts'
import { type Docker, IMAGE } from './image.ts'
import { findHost, type LabOptions, startLab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { sweep } from './leftovers.ts'
import { installPlugin, type PluginInstall } from './plugin-install.ts'
import type { UpState } from './up-state.ts'

/** An engine, whichever it is. */
export interface UpEngine {
  readonly kind: UpState['engine']
  readonly version: string
  readonly docker: Docker
  /** What a person types in place of `docker`. */
  readonly command: string
  /** Where this machine sees a path of the engine's host. */
  rootPath(path: string): string
  /** From a directory of this machine. @throws ExecaError */
  installPlugin(install: PluginInstall): Promise<void>
}

const MACHINE_SOCKET = '/var/run/docker.sock'
const HOST = 'h1'
/** The name of the lab of everything private that is up. */
export const UP_LAB = 'up'
const LAB: LabOptions = { name: UP_LAB, hosts: [{ name: HOST, release: 'sid' }], underlay: 'layer2' }
/** A short name for the socket of the private engine. */
const PRIVATE_SOCKET = '/run/romana-up.sock'

/** The engine of the last run; without one this machine's; and when none answers there, a private one. */
export async function findEngine(state: UpState | undefined): Promise<UpEngine> {
  const machine = state?.engine === 'private' ? undefined : await machineEngine()
  return machine ?? (await privateEngine())
}

/** This machine's own engine; undefined when it does not answer. */
export async function machineEngine(): Promise<UpEngine | undefined> {
  const asked = new Dockerode({ socketPath: MACHINE_SOCKET }).version()
  const version = await asked.then(({ Version }) => Version).catch(() => undefined)
  if (version === undefined) return undefined
  const docker: Docker = (args, options) =>
    run('docker', ['--host', `unix://${MACHINE_SOCKET}`, ...args], options)
  return {
    kind: 'machine',
    version,
    docker,
    command: 'docker',
    rootPath: (path) => path,
    installPlugin: (install) => installPlugin(docker, install),
  }
}

/** Whether the engine has the lab's image. */
export async function hasImage({ docker }: UpEngine): Promise<boolean> {
  const { exitCode } = await docker(['image', 'inspect', IMAGE], { reject: false })
  return exitCode === 0
}

/** Ends the private engine and all that runs on it; does nothing when there is none. */
export async function stopPrivateEngine(): Promise<void> {
  rmSync(PRIVATE_SOCKET, { force: true })
  await sweep(LAB.name)
}

async function privateEngine(): Promise<UpEngine> {
  const host = (await findHost(LAB, HOST)) ?? (await startLab(LAB)).hosts[0]
  if (host === undefined) throw new Error('Cannot use the private engine: its lab has no host')
  rmSync(PRIVATE_SOCKET, { force: true })
  symlinkSync(host.dockerSocket, PRIVATE_SOCKET)
  return {
    kind: 'private',
    version: host.engineVersion,
    docker: host.docker,
    command: await commandFor(host),
    rootPath: (path) => host.rootPath(path),
    installPlugin: (install) => host.installPlugin(install),
  }
}

/** A machine without an engine need not have the docker command: then the host's own is used. */
async function commandFor(host: LabHost): Promise<string> {
  const machineHasIt = await run('docker', ['--version']).then(
    () => true,
    () => false,
  )
  return machineHasIt ? `docker -H unix://${PRIVATE_SOCKET}` : `${host.enterCommand.join(' ')} docker`
}
