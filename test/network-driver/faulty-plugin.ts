/** A plugin whose calls come twice or never, and which is killed in the middle of them and started again. */
import { REST_MS } from '../../ipam-driver/addresses.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import type { CallPlugin } from '../contract/docker-engine.ts'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { Life, mortalHost, mortalStore } from './mortal.ts'
import { mirrorHost, type Romana, startRomana } from './romana-steps.ts'

/** What befalls one call. It never comes when the plugin is away. A number: the plugin is killed after so many writes, or behind the call. */
export type Fault = 'well' | 'twice' | 'never comes' | 'engine dies' | number

/** The engine died when this call was answered: it learns nothing of the answer and does nothing more. */
export class EngineDied extends Error {}

/** The call has no answer. */
export class NoAnswer extends Error {}

/** Five addresses in a cell. */
const PLAN = '10.0.0.0/8 8/8/5/3'

export class FaultyPlugin {
  kernel: FakeKernel = makeFakeKernel()
  journal: Store = openMemoryStore()
  readonly #faults: Fault[]
  readonly #directory: Store = openMemoryStore()
  #nowMs = 0
  #life = new Life()
  #started: Promise<Romana> | undefined

  constructor(faults: readonly Fault[]) {
    this.#faults = [...faults]
  }

  /** The running process; a new one when the last one was killed. */
  started(): Promise<Romana> {
    if (this.#started === undefined || this.#life.isOver) {
      this.#life = new Life()
      this.#started = startRomana({
        kernel: this.kernel,
        host: mortalHost(this.kernel.host, this.#life),
        directory: mortalStore(this.#directory, this.#life),
        journal: mortalStore(this.journal, this.#life),
        plan: PLAN,
        nowMs: () => this.#nowMs,
      })
    }
    return this.#started
  }

  kill(): void {
    this.#life.end()
  }

  /** The mirror had written all that it was to write. */
  async loseJournal(): Promise<void> {
    this.kill()
    await mirrorHost({ journal: this.journal, directory: this.#directory })
    this.journal = openMemoryStore()
  }

  /** Links, routes and rules are gone. */
  reboot(): void {
    this.kill()
    this.kernel = makeFakeKernel()
  }

  /** Released addresses have had their rest, and reservations have been forgotten. */
  async passMinute(): Promise<void> {
    const anyCall = { PoolID: '', Address: '192.0.2.1' }
    await this.callWell('IpamDriver.ReleaseAddress', anyCall)
    this.#nowMs += REST_MS
  }

  readonly callWell: CallPlugin = async (method, body) => (await this.started()).call(method, body)

  readonly call: CallPlugin = async (method, body) => {
    const fault = this.#faults.shift() ?? 'well'
    const { call } = await this.started()
    const life = this.#life
    if (fault === 'never comes') {
      life.end()
      throw new NoAnswer()
    }
    if (typeof fault === 'number') life.endAfter(fault)
    const answers = [call(method, body), ...(fault === 'twice' ? [call(method, body)] : [])]
    const settled = Promise.allSettled(answers)
    const [first] = (await Promise.race([settled, life.over])) ?? []
    if (typeof fault === 'number') life.end()
    if (fault === 'engine dies') throw new EngineDied()
    if (first === undefined || typeof fault === 'number') throw new NoAnswer()
    if (first.status === 'fulfilled') return first.value
    throw first.reason
  }
}
