/** A process that can be killed between any two things it does, and in the middle of a transaction: what it had begun never goes on. */
import type { Host } from '../../host/linux-host.ts'
import type { Store } from '../../store/store.ts'
import type { FakeKernel } from '../support/fake-kernel.ts'
import type { StoreFile } from './store-file.ts'

/** Nobody is told: whoever waits for a dead process waits for ever. */
class Killed extends Error {}

export class Life {
  isOver = false
  /** Resolves when the process has ended. */
  readonly over: Promise<undefined>
  readonly #setOver: (over: undefined) => void
  readonly #pace: readonly number[]
  #stepsLeft = Number.POSITIVE_INFINITY
  #tasks = 0

  /** @param pace how many turns each task waits for, so that calls overtake each other in every way */
  constructor(pace: readonly number[] = []) {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.over = promise
    this.#setOver = resolve
    this.#pace = pace
  }

  /** It ends instead of the step that comes behind so many. */
  endAfter(steps: number): void {
    this.#stepsLeft = Math.min(this.#stepsLeft, steps)
  }

  end(): void {
    this.isOver = true
    this.#setOver(undefined)
  }

  /** A point between two things that it does. @throws Killed */
  step(): void {
    if (this.#stepsLeft <= 0) this.end()
    if (this.isOver) throw new Killed()
    this.#stepsLeft -= 1
  }

  /** Whether it ends instead of the next step. */
  isLast(): boolean {
    return this.#stepsLeft <= 0
  }

  /** Something that needs the world outside. Without an end when the process has none. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    this.#tasks += 1
    for (let turn = this.#pace[this.#tasks % this.#pace.length] ?? 0; turn > 0; turn -= 1) await undefined
    const [result] = this.isOver ? [] : await Promise.allSettled([task()])
    if (result === undefined || this.isOver) return new Promise(() => undefined)
    if (result.status === 'fulfilled') return result.value
    throw result.reason
  }
}

/**
 * The store as a process has it for as long as it lives.
 * @param file in which the store is; without one a transaction is there as a whole or not at all.
 */
export function mortalStore(store: Store, life: Life, file?: StoreFile): Store {
  const commit: Store['commit'] = async (changes) => {
    life.step()
    for (const share of file === undefined ? [] : [1 / 3, 2 / 3]) {
      if (life.isLast()) await file?.commitTorn(changes, share)
      life.step()
    }
    const result = await store.commit(changes)
    life.step()
    return result
  }
  return {
    get: (key) => life.run(() => store.get(key)),
    list: (prefix) => life.run(() => store.list(prefix)),
    commit: (changes) => life.run(() => commit(changes)),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    close: () => store.close(),
  }
}

/** The kernel as a process has it for as long as it lives. */
export function mortalHost(kernel: FakeKernel, life: Life): Host {
  const host = kernel.openHost(() => life.step())
  return {
    observe: () => life.run(() => host.observe()),
    apply: (plan) => life.run(() => host.apply(plan)),
    addEndpoint: (wiring) => life.run(() => host.addEndpoint(wiring)),
    removeEndpoint: (link) => life.run(() => host.removeEndpoint(link)),
    forgetUdpFlows: (ports) => life.run(() => host.forgetUdpFlows(ports)),
    flows: (network) => life.run(() => host.flows(network)),
    forgetFlows: (selectors) => life.run(() => host.forgetFlows(selectors)),
    close: () => host.close(),
  }
}
