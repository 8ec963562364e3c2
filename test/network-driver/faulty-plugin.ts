/** A plugin whose calls come twice, late or never, and which is killed in the middle of them and started again. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REST_MS } from '../../ipam-driver/addresses.ts'
import type { CallPlugin } from '../contract/docker-engine.ts'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { Life, mortalHost, mortalStore } from './mortal.ts'
import { mirrorHost, type Romana, startRomana } from './romana-steps.ts'
import { StoreFile } from './store-file.ts'

/** What befalls one call. It never comes when the plugin is away. A number: the plugin is killed after so many steps, or behind the call. */
export type Fault = 'well' | 'twice' | 'never comes' | 'engine dies' | number

/** The engine died when this call was answered: it learns nothing of the answer and does nothing more. */
export class EngineDied extends Error {}

/** The call has no answer. */
export class NoAnswer extends Error {}

/** A call that an engine has made. */
export interface MadeCall {
  readonly method: string
  readonly body: object
}

/** Five addresses in a cell. */
const PLAN = '10.0.0.0/8 8/8/5/3'

/** In memory where there is such a place: a killed process loses nothing that it has written, on whatever disk. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export class FaultyPlugin {
  kernel: FakeKernel = makeFakeKernel()
  /** In their order. */
  readonly calls: MadeCall[] = []
  readonly #faults: Fault[]
  readonly #pace: readonly number[]
  readonly #folder = mkdtempSync(join(PLACE, 'romana-faults-'))
  readonly #journal = new StoreFile(join(this.#folder, 'journal'))
  readonly #directory = new StoreFile(join(this.#folder, 'directory'))
  #nowMs = 0
  #life = new Life()
  #started: Promise<Romana> | undefined

  /** @param pace as that of {@link Life} */
  constructor(faults: readonly Fault[], pace: readonly number[] = []) {
    this.#faults = [...faults]
    this.#pace = pace
  }

  /** The running process; a new one when the last one was killed. */
  started(): Promise<Romana> {
    if (this.#started === undefined || this.#life.isOver) {
      this.#life = new Life(this.#pace)
      this.#started = this.#start(this.#life)
    }
    return this.#started
  }

  async #start(life: Life): Promise<Romana> {
    const directory = await this.#directory.open()
    const journal = await this.#journal.open()
    return startRomana({
      kernel: this.kernel,
      host: mortalHost(this.kernel, life),
      directory: mortalStore(directory, life, this.#directory),
      journal: mortalStore(journal, life, this.#journal),
      plan: PLAN,
      nowMs: () => this.#nowMs,
    })
  }

  kill(): void {
    this.#life.end()
  }

  /** The next process is killed too, after so many steps of its start. */
  async killTwice(steps: number): Promise<void> {
    this.kill()
    const start = this.started()
    this.#life.endAfter(steps)
    await Promise.race([start, this.#life.over])
    this.kill()
  }

  /** The mirror had written all that it was to write. */
  async loseJournal(): Promise<void> {
    this.kill()
    await mirrorHost({ journal: await this.#journal.open(), directory: await this.#directory.open() })
    await this.#journal.lose()
  }

  /** Links, routes and rules are gone. */
  reboot(): void {
    this.kill()
    this.kernel = makeFakeKernel()
  }

  /** Nothing is left of the files. */
  async close(): Promise<void> {
    this.kill()
    await Promise.all([this.#journal.close(), this.#directory.close()])
    rmSync(this.#folder, { recursive: true })
  }

  /** Released addresses have had their rest, and reservations have been forgotten. */
  async passMinute(): Promise<void> {
    const anyCall = { PoolID: '', Address: '192.0.2.1' }
    await this.callWell('IpamDriver.ReleaseAddress', anyCall)
    this.#nowMs += REST_MS
  }

  readonly callWell: CallPlugin = async (method, body) => (await this.started()).call(method, body)

  /** So often at the same moment. Whatever is answered, nobody waits for it. */
  async callStray(method: string, body: object, times: number): Promise<PromiseSettledResult<unknown>[]> {
    const { call } = await this.started()
    const answers = Promise.allSettled(Array.from({ length: times }, () => call(method, body)))
    return (await Promise.race([answers, this.#life.over])) ?? []
  }

  readonly call: CallPlugin = async (method, body) => {
    const fault = this.#faults.shift() ?? 'well'
    const { call } = await this.started()
    const life = this.#life
    if (fault === 'never comes') {
      life.end()
      throw new NoAnswer()
    }
    this.calls.push({ method, body })
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
