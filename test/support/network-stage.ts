/** Where one case plays: networks and containers of one driver, with names of their own, which go when the case is over. */
import Dockerode from 'dockerode'
import type { LabRouter } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import type { DriverName } from './network-driver-names.ts'
import { type Subnet, subnetOf } from './network-subnet.ts'
import { type Member, startMember } from './reach.ts'
import { IMAGE } from './romana-host.ts'

/** What the cases of one engine share. */
export interface StageSet {
  /** On it and on the router run the services of services.ts. */
  readonly host: LabHost
  readonly router: LabRouter
  /** A number that no other stage has. */
  readonly nextStage: () => number
  /** A number that no other subnet has. */
  readonly nextSubnet: () => number
}

export class Stage {
  readonly host: LabHost
  readonly router: LabRouter
  readonly driver: DriverName
  readonly #set: StageSet
  readonly #prefix: string

  constructor(set: StageSet, driver: DriverName) {
    this.#set = set
    this.host = set.host
    this.router = set.router
    this.driver = driver
    this.#prefix = `${driver.slice(0, 1)}${set.nextStage()}`
  }

  /** The router's address that is no host's. */
  get outside(): string {
    return this.router.outside.address
  }

  /** Of every network and container; `docker network prune` and lists are told to see no others. */
  get label(): string {
    return `stage=${this.#prefix}`
  }

  /** The same for the API. */
  get labels(): Record<string, string> {
    return { stage: this.#prefix }
  }

  /** A stage beside this one, for another driver perhaps. Whoever asks for it ends it. */
  beside(driver: DriverName): Stage {
    return new Stage(this.#set, driver)
  }

  /** The name under which the engine knows something of this stage. */
  name(short: string): string {
    return `${this.#prefix}-${short}`
  }

  /** A text of the engine with the short names. */
  plain(text: string): string {
    return text.replaceAll(`${this.#prefix}-`, '')
  }

  /** The Engine API. */
  get api(): Dockerode {
    return new Dockerode({ socketPath: this.host.dockerSocket })
  }

  /** The major number of the engine's version. */
  get version(): number {
    return Number.parseInt(this.host.engineVersion, 10)
  }

  /** One that no other case has. */
  subnet(): Subnet {
    return subnetOf(this.driver, this.#set.nextSubnet())
  }

  /** The arguments of `docker network create`, but for the network's name. */
  createArgs(...args: readonly string[]): string[] {
    const ipam = this.driver === 'bridge' ? [] : ['--ipam-driver', this.driver]
    return ['network', 'create', '--driver', this.driver, ...ipam, '--label', this.label, ...args]
  }

  /** Makes a network, and gives its whole name. */
  async network(short: string, ...args: readonly string[]): Promise<string> {
    const name = this.name(short)
    await this.docker(...this.createArgs(...args), name)
    return name
  }

  /** Starts a container that does nothing, and gives its whole name. @param args of `docker run` */
  async idle(short: string, network: string, ...args: readonly string[]): Promise<string> {
    const name = this.name(short)
    await this.docker(...this.runArgs(short, network, '--detach', ...args), IMAGE, 'sleep', '100000')
    return name
  }

  /** Starts a container that answers by TCP and UDP. @param args of `docker run` */
  async member(short: string, network: string, ...args: string[]): Promise<Member> {
    return await startMember(this.host, this.name(short), network, '--label', this.label, ...args)
  }

  /** The arguments of `docker run`, but for image and command. */
  runArgs(short: string, network: string, ...args: readonly string[]): string[] {
    return ['run', '--name', this.name(short), '--label', this.label, '--network', network, ...args]
  }

  /** What a docker command prints. @throws ExecaError when it fails */
  async docker(...args: readonly string[]): Promise<string> {
    return this.plain((await this.host.docker(args)).stdout.trim())
  }

  /** What a docker command prints to standard error, or "succeeded". */
  async refusal(...args: readonly string[]): Promise<string> {
    const { exitCode, stderr } = await this.host.docker(args, { reject: false })
    return exitCode === 0 ? 'succeeded' : this.plain(stderr.trim())
  }

  /** The engine's clock, as its events take it. */
  async engineTime(): Promise<string> {
    return (await this.host.runInside('date', ['+%s.%N'])).stdout
  }

  /** "succeeded" or "failed". */
  async outcome(...args: readonly string[]): Promise<string> {
    const { exitCode } = await this.host.docker(args, { reject: false })
    return exitCode === 0 ? 'succeeded' : 'failed'
  }

  /** What a script prints in a container, whether it fails or not. */
  async shell(container: string, script: string): Promise<string> {
    const { stdout } = await this.host.docker(['exec', container, 'sh', '-c', script], { reject: false })
    return this.plain(stdout.trim())
  }

  /** The container's IPv4 address on a network; "" when it has none. */
  async addressOf(container: string, network: string): Promise<string> {
    const { NetworkSettings } = await this.api.getContainer(container).inspect()
    return NetworkSettings.Networks[network]?.IPAddress ?? ''
  }

  /** The IPv4 addresses that a container finds under a name, sorted; "" for none. By the engine's name server unless told. */
  async resolve(container: string, name: string, server = '127.0.0.11'): Promise<string> {
    const output = await this.shell(container, `timeout 2 nslookup -type=a ${name} ${server}`)
    const found = [...output.matchAll(/^Address(?: \d+)?: ([\d.]+)$/gm)].map(([, address = '']) => address)
    return found.sort().join(' ')
  }

  /** Whether a container gets an answer to a ping: "reached" or "not reached". */
  async ping(container: string, whom: string): Promise<string> {
    return reached(await this.outcome('exec', container, 'ping', '-c', '1', '-W', '1', whom))
  }

  /** Removes all that has the label; by the API, which costs no process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const filters = { label: [this.label] }
    const containers = await this.api.listContainers({ all: true, filters })
    await Promise.all(containers.map(({ Id }) => this.api.getContainer(Id).remove({ force: true })))
    const networks = await this.api.listNetworks({ filters })
    await Promise.all(networks.map(({ Id }) => this.api.getNetwork(Id).remove()))
  }
}

function reached(outcome: string): string {
  return outcome === 'succeeded' ? 'reached' : 'not reached'
}
