/** A host on which everything goes wrong that may: plugin, engine and containers die at any moment, calls come twice, late or never. */
import { expect } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import type { CallPlugin, DockerEngine, EngineEndpoint, EngineNetwork } from '../contract/docker-engine.ts'
import type { Action, RunAction, Step } from './faulty-actions.ts'
import { EngineDied, type Fault, FaultyPlugin, NoAnswer } from './faulty-plugin.ts'
import { type EngineEvents, mortalEngine } from './mortal-engine.ts'
import { expectAlive, expectPorts, type Running } from './running-endpoints.ts'
import { StrayCalls } from './stray-calls.ts'

interface Attachment {
  readonly container: string
  readonly network: EngineNetwork
  readonly ip?: number | undefined
  readonly port?: number | undefined
}

/** Refusals that a person may well see after faults. */
const ALLOWED = ['E_ADDRESS_TAKEN', 'E_POOL_FULL', 'E_TENANTS_FULL', 'E_PORT_TAKEN']

const ADDRESSES_OF_A_CELL = 5

const FIRST_PORT = 8000

const WEB = { tenant: 'blue', segment: 'web' }

export class FaultyHost {
  readonly plugin: FaultyPlugin
  readonly #networks: EngineNetwork[] = []
  readonly #running = new Map<string, Running>()
  /** Containers with which something is done: the engine does one thing at a time with each. */
  readonly #busy = new Set<string>()
  readonly #unsureNetworks: string[] = []
  readonly #strays: StrayCalls
  /** Whether a person may see what only a stray call explains. */
  #hasStrays = false
  #lastId = 0

  constructor(faults: readonly Fault[], pace: readonly number[] = []) {
    this.plugin = new FaultyPlugin(faults, pace)
    this.#strays = new StrayCalls(this.plugin)
  }

  /** Three networks of one segment, an internal one, and one with an automatic segment. */
  async createNetworks(): Promise<void> {
    const { engine } = await this.plugin.started()
    const wishes = [WEB, WEB, { tenant: 'green', internal: true }, {}, WEB]
    for (const [index, wish] of wishes.entries())
      this.#networks.push(await engine.createNetwork(`n${index}`, wish))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.plugin.close()
  }

  async take(step: Step): Promise<void> {
    if (typeof step === 'number') await this.plugin.killTwice(step)
    else if (step === 'plugin restarts') this.plugin.kill()
    else if (step === 'journal is lost') await this.plugin.loseJournal()
    else if (step === 'host reboots') await this.#reboot()
    else if (step === 'a minute passes') await this.plugin.passMinute()
    else await this.#actAll(step)
    await this.plugin.started()
    await this.#expectRunning()
  }

  /** Without further faults, once all containers are gone, every address of every cell can be given out. */
  async expectNothingTaken(): Promise<void> {
    await this.#stopAll()
    this.plugin.kill()
    await this.plugin.passMinute()
    const { engine } = await this.plugin.started()
    for (const network of this.#networks.slice(1, 4)) {
      for (let count = 0; count < ADDRESSES_OF_A_CELL; count += 1) {
        const container = this.#nextId('e')
        this.#running.set(container, { container, ...(await engine.run(container, network)) })
      }
    }
    await this.#expectRunning()
    await this.#stopAll()
  }

  /** When the networks are gone too, nothing of ours is left. */
  async expectNothingLeft(): Promise<void> {
    const { engine, call, sockets, journal } = await this.plugin.started()
    for (const network of this.#networks) await engine.removeNetwork(network)
    for (const NetworkID of this.#unsureNetworks) await call('NetworkDriver.DeleteNetwork', { NetworkID })
    expect(this.plugin.kernel.show()).toMatch(
      /^(iptables -t filter -P FORWARD DROP\nnet\.ipv4\.ip_forward = 1)?$/,
    )
    expect(sockets.show()).toBe('')
    for (const prefix of ['/endpoints/', '/networks/', '/ports/'])
      expect((await journal.list(prefix)).entries).toEqual([])
  }

  async #expectRunning(): Promise<void> {
    const running = [...this.#running.values()]
    const romana = await this.plugin.started()
    await expectAlive(romana, running)
    await expectPorts(romana, running)
  }

  async #actAll(actions: readonly Action[]): Promise<void> {
    this.#hasStrays = actions.some(({ kind }) => kind === 'stray')
    await Promise.all(actions.map((action) => this.#act(action)))
  }

  #act(action: Action): Promise<void> {
    if (action.kind === 'run') return this.#run(action)
    if (action.kind === 'network') return this.#makeAndRemoveNetwork(action.isShared)
    if (action.kind === 'stray') return this.#strays.send(action)
    return this.#withContainer(action.container, async (container, endpoints) => {
      const [last] = endpoints.slice(-1)
      if (action.kind === 'connect') await this.#connect(container, action.network)
      else if (action.kind === 'die') await this.#dieAll(endpoints)
      else if (action.kind === 'stop') await this.#stopEach(endpoints)
      else if (last !== undefined) await this.#stopEach([last])
    })
  }

  /** Nothing is done with a container with which something is done already. */
  async #withContainer(
    index: number,
    task: (container: string, endpoints: readonly Running[]) => Promise<void>,
  ): Promise<void> {
    const containers = [...new Set([...this.#running.values()].map(({ container }) => container))]
    const chosen = containers[index % Math.max(1, containers.length)]
    if (chosen === undefined || this.#busy.has(chosen)) return
    this.#busy.add(chosen)
    await task(chosen, this.#endpointsOf(chosen))
    this.#busy.delete(chosen)
  }

  #endpointsOf(container: string): Running[] {
    return [...this.#running.values()].filter((endpoint) => endpoint.container === container)
  }

  /** A container that cannot be connected to each of its networks is not started. */
  async #run({ networks, ip, port }: RunAction): Promise<void> {
    const container = this.#nextId('c')
    this.#busy.add(container)
    for (const [index, number] of networks.entries()) {
      const network = this.#networks[number]
      const own = index === 0 ? { ip, port } : {}
      if (network === undefined || (await this.#attach({ container, network, ...own }))) continue
      await this.#stopEach(this.#endpointsOf(container))
      break
    }
    this.#busy.delete(container)
  }

  async #connect(container: string, index: number): Promise<void> {
    const network = this.#networks[index]
    if (network !== undefined) await this.#attach({ container, network })
  }

  /** False when it failed. When the engine dies in it and has stored the endpoint already, it cleans up when it is back. */
  async #attach({ container, network, ip, port }: Attachment): Promise<boolean> {
    const id = this.#nextId('e')
    const stored = { id, container, network, address: '', address6: '', link: '' }
    const call: CallPlugin = async (method, body) => {
      const answer = await this.plugin.call(method, body)
      if (method === 'NetworkDriver.CreateEndpoint') stored.address = addressIn(body)
      if (method === 'NetworkDriver.Join') stored.link = textOf(fieldOf(answer, 'InterfaceName'), 'SrcName')
      return answer
    }
    let isDead = false
    const events: EngineEvents = {
      onDeath: () => {
        isDead = true
      },
      onLeave: () => {
        stored.link = ''
      },
    }
    const others = this.#endpointsOf(container)
    try {
      const ports = port === undefined ? [] : [{ Proto: 6, Port: 80, HostPort: FIRST_PORT + port }]
      const options = { sandbox: container, ports, ...(ip !== undefined && { ip: addressOf(network, ip) }) }
      const endpoint = await this.#engine(call, events).run(id, network, options)
      this.#running.set(id, {
        ...endpoint,
        container,
        ...(port !== undefined && { port: FIRST_PORT + port }),
      })
      return true
    } catch (error) {
      const isSecondOfSegment = others.some((other) => other.network.pool === network.pool)
      this.#expectAllowed(error, isSecondOfSegment ? ['E_OPTION'] : [])
      if (isDead && stored.link !== '') await this.#dieAll([stored])
      else if (isDead && stored.address !== '') await this.#bury(stored)
      this.#strays.end(id)
      return false
    }
  }

  async #stopEach(endpoints: readonly Running[]): Promise<void> {
    for (const endpoint of endpoints) {
      this.#running.delete(endpoint.id)
      let isInContainer = true
      const leave = () => {
        isInContainer = false
      }
      await this.#engine(this.plugin.call, { onLeave: leave }).stop(endpoint)
      if (isInContainer) await this.#dieAll([endpoint])
      this.#strays.end(endpoint.id)
    }
  }

  async #dieAll(endpoints: readonly Running[]): Promise<void> {
    for (const { id, link } of endpoints) {
      this.#running.delete(id)
      this.plugin.kernel.killContainer(link)
    }
    for (const endpoint of endpoints) await this.#bury(endpoint)
  }

  /** At each start of the engine, until it has lived long enough to do it. */
  async #bury(endpoint: EngineEndpoint): Promise<void> {
    for (let isDone = false; !isDone; ) {
      isDone = true
      const onDeath = () => {
        isDone = false
      }
      await this.#engine(this.plugin.call, { onDeath }).bury(endpoint)
    }
    this.#strays.end(endpoint.id)
  }

  async #reboot(): Promise<void> {
    this.plugin.reboot()
    const stored = [...this.#running.values()]
    this.#running.clear()
    for (const endpoint of stored) await this.#bury(endpoint)
  }

  async #stopAll(): Promise<void> {
    const { engine } = await this.plugin.started()
    for (const endpoint of this.#running.values()) await engine.stop(endpoint)
    this.#running.clear()
  }

  /** For each, the whole host is looked at and put right. */
  async #makeAndRemoveNetwork(isShared: boolean): Promise<void> {
    const id = this.#nextId('s')
    this.#unsureNetworks.push(id)
    const engine = this.#engine(this.plugin.call)
    try {
      await engine.removeNetwork(await engine.createNetwork(id, isShared ? WEB : {}))
    } catch (error) {
      this.#expectAllowed(error)
    }
    this.#strays.end(id)
  }

  /** A stray ReleaseAddress takes an endpoint along that has not joined yet. */
  #expectAllowed(error: unknown, more: readonly string[] = []): void {
    if (error instanceof EngineDied || error instanceof NoAnswer) return
    const allowed = [...ALLOWED, ...more, ...(this.#hasStrays ? ['E_ENDPOINT_UNKNOWN'] : [])]
    if (error instanceof RomanaError && allowed.includes(error.code)) return
    throw error
  }

  #engine(call: CallPlugin, on: EngineEvents = {}): DockerEngine {
    return mortalEngine(call, () => this.plugin.kernel, on)
  }

  #nextId(letter: string): string {
    this.#lastId += 1
    return `${letter}${this.#lastId}`
  }
}

/** The nth address of a cell that a container may have. */
function addressOf({ pool }: EngineNetwork, index: number): string {
  return pool.replace(/(\d+)\/29$/, (_, first) => String(Number(first) + 2 + index))
}

/** "10.1.17.2" of a CreateEndpoint. */
function addressIn(body: object): string {
  return textOf('Interface' in body ? body.Interface : undefined, 'Address').replace('/32', '')
}
