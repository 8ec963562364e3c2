/** The Docker engine of one host of the lab. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Dockerode from 'dockerode'
import type { DetachedProgram } from './command.ts'
import type { HostNamespaces } from './host-namespaces.ts'
import { waitUntil } from './wait-until.ts'

const START_TIMEOUT_MS = 60_000
/** dockerd gives containers 10 s and plugins 10 s each. */
const STOP_TIMEOUT_MS = 60_000
const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'
const PID_FILE = '/run/docker.pid'
const LOG_TAIL = 2000

/** SIGKILL is a crash: containers and their shims go on, as they do where systemd keeps containerd. */
export type StopSignal = 'SIGTERM' | 'SIGKILL'

/** containerd and dockerd are separate, as Debian's units start them, so that containers outlive dockerd. */
export class Engine {
  readonly #host: HostNamespaces
  readonly #cgroup: string

  constructor(host: HostNamespaces, cgroup: string) {
    this.#host = host
    this.#cgroup = cgroup
  }

  /** Where this machine sees the engine's socket. */
  get socket(): string {
    return this.#host.rootPath('/run/docker.sock')
  }

  /** Starts dockerd and waits until it answers. @throws Error with the end of its log */
  async start(args: readonly string[]): Promise<void> {
    if (!existsSync(this.#host.rootPath(CONTAINERD_SOCKET))) await this.#startContainerd()
    const fixed = [`--containerd=${CONTAINERD_SOCKET}`, `--cgroup-parent=/${this.#cgroup}`]
    const dockerd = this.#host.startInside('dockerd', [...fixed, ...args], this.#logFile)
    const wait = { what: `the engine of ${this.#host.spec.name}`, timeoutMs: START_TIMEOUT_MS }
    await waitUntil(wait, async () => this.#mustRun(dockerd) && (await this.version()) !== undefined)
  }

  /** Ends dockerd and waits for its end; does nothing when it does not run. @throws Error when it does not end */
  async stop(signal: StopSignal): Promise<void> {
    const pid = this.#pid()
    if (pid === undefined) return
    await this.#host.runInside('kill', [`-${signal}`, pid], { reject: false })
    const wait = { what: `the end of the engine of ${this.#host.spec.name}`, timeoutMs: STOP_TIMEOUT_MS }
    await waitUntil(wait, () => this.#pid() === undefined)
  }

  /** The version of the running engine, such as "28.5.2"; undefined when none answers. */
  async version(): Promise<string | undefined> {
    const answer = new Dockerode({ socketPath: this.socket }).version()
    return await answer.then(({ Version }) => Version).catch(() => undefined)
  }

  /** All that dockerd has printed, over its restarts. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  async #startContainerd(): Promise<void> {
    const { name, directory } = this.#host.spec
    this.#host.startInside('containerd', [], join(directory, 'containerd.log'))
    const wait = { what: `containerd of ${name}`, timeoutMs: START_TIMEOUT_MS }
    await waitUntil(wait, () => existsSync(this.#host.rootPath(CONTAINERD_SOCKET)))
  }

  #mustRun(dockerd: DetachedProgram): true {
    if (dockerd.isRunning()) return true
    throw new Error(`Cannot start the engine of ${this.#host.spec.name}: ${this.log().slice(-LOG_TAIL)}`)
  }

  /** dockerd's PID as the host sees it, while it lives. */
  #pid(): string | undefined {
    try {
      const pid = readFileSync(this.#host.rootPath(PID_FILE), 'utf8').trim()
      return existsSync(this.#host.rootPath(`/proc/${pid}`)) ? pid : undefined
    } catch {
      return undefined
    }
  }

  get #logFile(): string {
    return join(this.#host.spec.directory, 'dockerd.log')
  }
}
