import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandResult, DetachedProgram, RunOptions } from './command.ts'
import type { Engine, StopSignal } from './engine.ts'
import type { HostNamespaces } from './host-namespaces.ts'
import { installPlugin, type PluginInstall, withCopyInside } from './plugin-install.ts'
import type { Attachment } from './underlay.ts'

/** What the docker command does takes less; a hanging engine shows soon. */
const DOCKER_TIMEOUT_MS = 60_000

/** Without docker0. Networks of the driver bridge can be made all the same. */
export const DEFAULT_ENGINE_ARGS = ['--bridge=none'] as const

/** How an engine is restarted. */
export interface EngineRestart {
  /** SIGTERM without it. */
  readonly signal?: StopSignal
  /** Arguments of dockerd from now on, in place of the last ones. */
  readonly args?: readonly string[]
}

/** A program of a host. */
export interface HostProgram extends DetachedProgram {
  /** All that it has printed. */
  log(): string
}

/** A host of the lab as tests use it. */
export class LabHost {
  readonly name: string
  /** The name of its network namespace. */
  readonly netns: string
  /** Its address on the underlay, IPv4. */
  readonly address: string
  /** Its address on the underlay, IPv6. */
  readonly address6: string
  /** Such as "28.5.2". */
  readonly engineVersion: string
  /** Where this machine sees the engine's socket. */
  readonly dockerSocket: string
  readonly #namespaces: HostNamespaces
  readonly #engine: Engine
  #engineArgs: readonly string[]

  private constructor(parts: LabHostParts, engineVersion: string) {
    const { spec } = parts.namespaces
    this.name = spec.name
    this.netns = spec.netns
    this.address = parts.attachment.address
    this.address6 = parts.attachment.address6
    this.engineVersion = engineVersion
    this.dockerSocket = parts.engine.socket
    this.#namespaces = parts.namespaces
    this.#engine = parts.engine
    this.#engineArgs = parts.engineArgs
  }

  /** The host around an engine; undefined when that does not answer. */
  static async of(parts: LabHostParts): Promise<LabHost | undefined> {
    const version = await parts.engine.version()
    return version === undefined ? undefined : new LabHost(parts, version)
  }

  /** The command that enters the host from a terminal. */
  get enterCommand(): readonly string[] {
    return this.#namespaces.enterCommand
  }

  /** The host's own docker command: a newer one can refuse an older engine. It is given 60 s. @throws ExecaError */
  readonly docker = (args: readonly string[], options?: RunOptions): Promise<CommandResult> =>
    this.#namespaces.runInside('docker', args, { timeoutMs: DOCKER_TIMEOUT_MS, ...options })

  /** Runs a program of this machine in the host's network. @throws ExecaError */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    return this.#namespaces.runInNetwork(command, args, options)
  }

  /** Runs a program of the host itself, with its files, processes and network. @throws ExecaError */
  runInside(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    return this.#namespaces.runInside(command, args, options)
  }

  /** Starts a program of the host that goes on until the host ends, unless it ends by itself. What it prints is kept. */
  startInside(command: string, args: readonly string[]): HostProgram {
    const log = join(this.#namespaces.spec.directory, `${command}.log`)
    const program = this.#namespaces.startInside(command, args, log)
    return { isRunning: program.isRunning, log: () => readFileSync(log, 'utf8') }
  }

  /** Where this machine sees a path of the host, what is mounted there included; not through absolute symbolic links. */
  rootPath(path: string): string {
    return this.#namespaces.rootPath(path)
  }

  /** Starts dockerd and waits until it answers. @throws Error with the end of its log */
  startEngine(): Promise<void> {
    return this.#engine.start(this.#engineArgs)
  }

  /** Ends dockerd and waits for its end; does nothing when it does not run. */
  stopEngine(signal: StopSignal = 'SIGTERM'): Promise<void> {
    return this.#engine.stop(signal)
  }

  /** Stops and starts dockerd. /run, containerd and, with live-restore or SIGKILL, the containers stay. */
  async restartEngine({ signal, args }: EngineRestart = {}): Promise<void> {
    await this.stopEngine(signal)
    this.#engineArgs = args ?? this.#engineArgs
    await this.startEngine()
  }

  /** All that dockerd has printed. */
  engineLog(): string {
    return this.#engine.log()
  }

  /** Creates, sets and enables a managed plugin from a directory of this machine. @throws ExecaError */
  async installPlugin(install: PluginInstall): Promise<void> {
    await withCopyInside(this.#namespaces, install.directory, (directory) =>
      installPlugin(this.docker, { ...install, directory }),
    )
  }
}

/** What a host is made of. */
export interface LabHostParts {
  readonly namespaces: HostNamespaces
  readonly engine: Engine
  readonly engineArgs: readonly string[]
  readonly attachment: Attachment
}
