/** Hosts that start, die, stop, are removed and copied, in any order and at the same moments. */
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { listHosts, removeHost } from '../../cluster/hosts.ts'
import { type ErrorCode, RomanaError } from '../../errors.ts'
import type { HostNumber } from '../../store/ids.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { Life, mortalStore } from '../network-driver/mortal.ts'
import { endSession, join, keepAlive, type MachineUnderTest, machineOf } from './cluster-steps.ts'

/** Three machines; "twin" has the machine id of a, and "copy" is to get the disk of b under a machine id of its own. */
const NAMES = ['a', 'b', 'c', 'twin', 'copy'] as const
type Name = (typeof NAMES)[number]

type Step =
  | { readonly kind: 'start'; readonly name: Name; readonly dieAfter: number }
  | { readonly kind: 'stop' | 'remove' | 'loseJournal'; readonly name: Name }
  | { readonly kind: 'copyDisk' }

const name = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      name,
      dieAfter: fc.integer({ min: 0, max: 13 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'remove', 'loseJournal'), name }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'copyDisk' as const }) },
)

/** What a machine may be told. */
const REFUSALS: readonly ErrorCode[] = ['E_HOST_CLONE', 'E_HOST_IN_USE', 'E_CLUSTER']

class World {
  readonly directory = openMemoryStore()
  readonly #machines = new Map<Name, MachineUnderTest>([
    ['a', machineOf('a')],
    ['b', machineOf('b')],
    ['c', machineOf('c')],
    ['twin', machineOf('t', { machineId: 'id-a' })],
    ['copy', machineOf('x')],
  ])
  readonly #numbers = new Map<Name, HostNumber>()
  readonly #pauses: readonly number[]
  readonly #begun = new Set<Name>()
  #isCopied = false
  #calls = 0

  constructor(pauses: readonly number[]) {
    this.#pauses = pauses
  }

  async do(step: Step): Promise<void> {
    try {
      await this.#do(step)
    } catch (error) {
      if (!(error instanceof RomanaError && REFUSALS.includes(error.code))) throw error
    }
  }

  /** The numbers that machines were ever given are all different, no two machines are one host, and the records are theirs. */
  async expectSound(): Promise<void> {
    const numbers = [...this.#numbers.values()]
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(this.#numbers.has('a') && this.#numbers.has('twin')).toBe(false)
    const hosts = await listHosts(this.directory)
    for (const [each, number] of this.#numbers) {
      const { machine } = this.#machine(each)
      const record = hosts.find((host) => host.number === number)
      expect(record).toMatchObject({ name: machine.name, machineId: machine.machineId })
      expect(record?.underlay).toEqual(machine.underlay)
    }
    for (const { state, removed } of hosts) expect(state === 'removed').toBe(removed)
  }

  async #do(step: Step): Promise<void> {
    if (step.kind === 'start') return this.#start(step.name, step.dieAfter)
    if (step.kind === 'copyDisk') return this.#copyDisk()
    if (step.kind === 'loseJournal') return this.#loseJournal(step.name)
    const number = this.#numbers.get(step.name)
    if (number === undefined) return
    if (step.kind === 'stop') await endSession(this.directory, number)
    else await removeHost(this.#slow(this.directory), number)
  }

  async #start(who: Name, dieAfter: number): Promise<void> {
    this.#begun.add(who)
    const life = new Life()
    life.endAfter(dieAfter)
    const { machine, journal } = this.#machine(who)
    const mortal = (store: Store) => mortalStore(this.#slow(store), life)
    const joining = join(mortal(this.directory), { machine, journal: mortal(journal) })
    const joined = await Promise.race([joining, life.over])
    if (joined === undefined) return
    expect(who === 'copy' && this.#isCopied).toBe(false)
    expect(this.#numbers.get(who) ?? joined.host).toBe(joined.host)
    this.#numbers.set(who, joined.host)
    await keepAlive(this.directory, joined)
  }

  /** Of a machine that stands still: a running one has its journal open. */
  async #loseJournal(who: Name): Promise<void> {
    const number = this.#numbers.get(who)
    if (who === 'copy') return
    if (number !== undefined) await endSession(this.directory, number)
    this.#machines.set(who, { ...this.#machine(who), journal: openMemoryStore() })
  }

  /** Onto a machine that never started, and does not start meanwhile. */
  async #copyDisk(): Promise<void> {
    const { entries } = await this.#machine('b').journal.list('/membership')
    const journal = openMemoryStore()
    await journal.commit(entries.map(({ key, value }) => ({ kind: 'put', key, value })))
    if (entries.length === 0 || this.#begun.has('copy')) return
    this.#machines.set('copy', { ...this.#machine('copy'), journal })
    this.#isCopied = true
  }

  #machine(who: Name): MachineUnderTest {
    const machine = this.#machines.get(who)
    if (machine === undefined) throw new Error(`No machine ${who}`)
    return machine
  }

  /** Others get their turns before each call. */
  #slow(store: Store): Store {
    const after = async <T>(call: () => Promise<T>) => {
      this.#calls += 1
      const turns = this.#pauses[this.#calls % this.#pauses.length] ?? 0
      for (let turn = 0; turn < turns; turn += 1) await setImmediate()
      return call()
    }
    return {
      get: (key) => after(() => store.get(key)),
      list: (prefix) => after(() => store.list(prefix)),
      commit: (changes) => after(() => store.commit(changes)),
      watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
      close: () => store.close(),
    }
  }
}

const pauses = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 7, maxLength: 31 })
const moments = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 10 })

it('no number is given twice, no copy is let in, and each record is that of its host', async () => {
  await fc.assert(
    fc.asyncProperty(moments, pauses, async (steps, turns) => {
      const world = new World(turns)
      for (const moment of steps) {
        await Promise.all(moment.map((each) => world.do(each)))
        await world.expectSound()
      }
    }),
    { numRuns: 150 },
  )
}, 60_000)
