/** A host on which everything goes wrong that may: plugin, engine and containers die at any moment, calls come twice or never. */
import { expect } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import type { CallPlugin, DockerEngine, EngineEndpoint, EngineNetwork } from '../contract/docker-engine.ts'
import { EngineDied, type Fault, FaultyPlugin, NoAnswer } from './faulty-plugin.ts'
import { type EngineEvents, mortalEngine } from './mortal-engine.ts'

export interface RunAction {
  readonly kind: 'run'
  readonly network: number
  readonly ip?: number
  /** What it publishes, by number. */
  readonly port?: number
}

export type Action =
  | RunAction
  | { readonly kind: 'stop' | 'die'; readonly container: number }
  | { readonly kind: 'network' }

/** Actions of a step go on at the same time. */
export type Step =
  | readonly Action[]
  | 'plugin restarts'
  | 'journal is lost'
  | 'host reboots'
  | 'a minute passes'

/** Refusals that a person may well see after faults. */
const ALLOWED = ['E_ADDRESS_TAKEN', 'E_POOL_FULL', 'E_TENANTS_FULL', 'E_PORT_TAKEN']

const ADDRESSES_OF_A_CELL = 5

const FIRST_PORT = 8000

export class FaultyHost {
  readonly plugin: FaultyPlugin
  readonly #networks: EngineNetwork[] = []
  readonly #running = new Map<string, EngineEndpoint & { readonly port?: number | undefined }>()
  readonly #unsureNetworks: string[] = []
  #lastId = 0

  constructor(faults: readonly Fault[]) {
    this.plugin = new FaultyPlugin(faults)
  }

  /** Two networks of one segment, an internal one, and one with an automatic segment. */
  async createNetworks(): Promise<void> {
    const { engine } = await this.plugin.started()
    const web = { tenant: 'blue', segment: 'web' }
    for (const [index, wish] of [web, web, { tenant: 'green', internal: true }, {}].entries()) {
      this.#networks.push(await engine.createNetwork(`n${index}`, wish))
    }
  }

  async take(step: Step): Promise<void> {
    if (step === 'plugin restarts') this.plugin.kill()
    else if (step === 'journal is lost') await this.plugin.loseJournal()
    else if (step === 'host reboots') await this.#reboot()
    else if (step === 'a minute passes') await this.plugin.passMinute()
    else await Promise.all(step.map((action) => this.#act(action)))
    await this.plugin.started()
    this.expectRunning()
    await this.expectPorts()
  }

  /** No address is at two containers, and none of them is cut off. */
  expectRunning(): void {
    const running = [...this.#running.values()]
    const addresses = running.map(({ address }) => address)
    expect(addresses.toSorted()).toEqual([...new Set(addresses)].toSorted())
    const kernel = this.plugin.kernel.show()
    for (const { id, address, network, link } of running) {
      const hostLink = link.replace('rmp', network.id === 'n2' ? 'rmni' : 'rmne')
      expect(kernel).toMatch(
        new RegExp(`^link ${hostLink} mtu 1500 peer elsewhere up alias "romana1 ${id} `, 'm'),
      )
      expect(kernel).toContain(`address ${network.gateway.replace(/\/.*/, '/32')} dev ${hostLink}\n`)
      expect(kernel).toContain(`route ${address}/32 dev ${hostLink} table 8200 protocol 82\n`)
    }
  }

  /** Those of running containers are there, and no others. */
  async expectPorts(): Promise<void> {
    const published = [...this.#running.values()].filter(
      ({ port, network }) => port !== undefined && network.id !== 'n2',
    )
    const { sockets } = await this.plugin.started()
    const kernel = this.plugin.kernel.show()
    for (const { address, port } of published) {
      expect(kernel).toContain(`--dport ${port} -j DNAT --to-destination ${address}:80\n`)
      expect(sockets.show()).toContain(`tcp 0.0.0.0:${port} -> ${address}:80`)
    }
    const records = (await this.plugin.journal.list('/ports/')).entries.map(({ key }) => key.slice(7))
    const endpoints = (await this.plugin.journal.list('/endpoints/')).entries.map(({ key }) => key.slice(11))
    expect(endpoints).toEqual(expect.arrayContaining(records))
  }

  /** Without further faults, once all containers are gone, every address of every cell can be given out. */
  async expectNothingTaken(): Promise<void> {
    await this.#stopAll()
    this.plugin.kill()
    await this.plugin.passMinute()
    const { engine } = await this.plugin.started()
    for (const network of this.#networks.slice(1)) {
      for (let container = 0; container < ADDRESSES_OF_A_CELL; container += 1) {
        const id = this.#nextId('e')
        this.#running.set(id, await engine.run(id, network))
      }
    }
    this.expectRunning()
    await this.#stopAll()
  }

  /** When the networks are gone too, nothing of ours is left. */
  async expectNothingLeft(): Promise<void> {
    const { engine, call } = await this.plugin.started()
    for (const network of this.#networks) await engine.removeNetwork(network)
    for (const NetworkID of this.#unsureNetworks) await call('NetworkDriver.DeleteNetwork', { NetworkID })
    expect(this.plugin.kernel.show()).toMatch(
      /^(iptables -t filter -P FORWARD DROP\nnet\.ipv4\.ip_forward = 1)?$/,
    )
    expect((await this.plugin.started()).sockets.show()).toBe('')
    for (const prefix of ['/endpoints/', '/networks/', '/ports/']) {
      expect((await this.plugin.journal.list(prefix)).entries).toEqual([])
    }
  }

  async #act(action: Action): Promise<void> {
    if (action.kind === 'run') return this.#run(action)
    if (action.kind === 'network') return this.#makeAndRemoveNetwork()
    const chosen = [...this.#running.values()][action.container % Math.max(1, this.#running.size)]
    if (chosen === undefined) return
    this.#running.delete(chosen.id)
    if (action.kind === 'die') await this.#die(chosen)
    else await this.#stop(chosen)
  }

  /** When the engine dies in it and has stored the endpoint already, it cleans up when it is back. */
  async #run({ network: networkIndex, ip, port }: RunAction): Promise<void> {
    const network = this.#networks[networkIndex]
    if (network === undefined) return
    const id = this.#nextId('e')
    const stored = { id, network, address: '', address6: '', link: '' }
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
    try {
      const ports = port === undefined ? [] : [{ Proto: 6, Port: 80, HostPort: FIRST_PORT + port }]
      const options = { ports, ...(ip === undefined ? {} : { ip: addressOf(network, ip) }) }
      const endpoint = await this.#engine(call, events).run(id, network, options)
      this.#running.set(id, { ...endpoint, ...(port !== undefined && { port: FIRST_PORT + port }) })
    } catch (error) {
      expectAllowed(error)
      if (isDead && stored.link !== '') await this.#die(stored)
      else if (isDead && stored.address !== '') await this.#bury(stored)
    }
  }

  async #stop(endpoint: EngineEndpoint): Promise<void> {
    let isInContainer = true
    const leave = () => {
      isInContainer = false
    }
    await this.#engine(this.plugin.call, { onLeave: leave }).stop(endpoint)
    if (isInContainer) await this.#die(endpoint)
  }

  async #die(endpoint: EngineEndpoint): Promise<void> {
    this.plugin.kernel.killContainer(endpoint.link)
    await this.#bury(endpoint)
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
  async #makeAndRemoveNetwork(): Promise<void> {
    const id = this.#nextId('s')
    this.#unsureNetworks.push(id)
    const engine = this.#engine(this.plugin.call)
    try {
      await engine.removeNetwork(await engine.createNetwork(id))
    } catch (error) {
      expectAllowed(error)
    }
  }

  #engine(call: CallPlugin, on: EngineEvents = {}): DockerEngine {
    return mortalEngine(call, () => this.plugin.kernel, on)
  }

  #nextId(letter: string): string {
    this.#lastId += 1
    return `${letter}${this.#lastId}`
  }
}

function expectAllowed(error: unknown): void {
  if (error instanceof EngineDied || error instanceof NoAnswer) return
  if (error instanceof RomanaError && ALLOWED.includes(error.code)) return
  throw error
}

/** The nth address of a cell that a container may have. */
function addressOf({ pool }: EngineNetwork, index: number): string {
  return pool.replace(/(\d+)\/29$/, (_, first) => String(Number(first) + 2 + index))
}

/** "10.1.17.2" of a CreateEndpoint. */
function addressIn(body: object): string {
  return textOf('Interface' in body ? body.Interface : undefined, 'Address').replace('/32', '')
}
