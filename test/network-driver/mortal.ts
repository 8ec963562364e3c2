/** A process that can be killed between any two things it does: what it had begun never goes on. */
import type { Host } from '../../host/linux-host.ts'
import type { Store } from '../../store/store.ts'

export class Life {
  isOver = false
  /** Resolves when the process has ended. */
  readonly over: Promise<undefined>
  readonly #setOver: (over: undefined) => void
  #writesLeft = Number.POSITIVE_INFINITY

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.over = promise
    this.#setOver = resolve
  }

  /** It ends instead of the write that comes behind so many. */
  endAfter(writes: number): void {
    this.#writesLeft = Math.min(this.#writesLeft, writes)
  }

  end(): void {
    this.isOver = true
    this.#setOver(undefined)
  }

  read<T>(task: () => Promise<T>): Promise<T> {
    return this.isOver ? new Promise(() => undefined) : task()
  }

  write<T>(task: () => Promise<T>): Promise<T> {
    if (this.#writesLeft <= 0) this.end()
    this.#writesLeft -= 1
    return this.read(task)
  }
}

/** The store as a process has it for as long as it lives. */
export function mortalStore(store: Store, life: Life): Store {
  return {
    get: (key) => life.read(() => store.get(key)),
    list: (prefix) => life.read(() => store.list(prefix)),
    commit: (changes) => life.write(() => store.commit(changes)),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    close: () => store.close(),
  }
}

/** The kernel as a process has it for as long as it lives. */
export function mortalHost(host: Host, life: Life): Host {
  return {
    observe: () => life.read(() => host.observe()),
    apply: (plan) => life.write(() => host.apply(plan)),
    addEndpoint: (wiring) => life.write(() => host.addEndpoint(wiring)),
    removeEndpoint: (link) => life.write(() => host.removeEndpoint(link)),
    forgetUdpFlows: (ports) => life.write(() => host.forgetUdpFlows(ports)),
    flows: (network) => life.read(() => host.flows(network)),
    forgetFlows: (selectors) => life.write(() => host.forgetFlows(selectors)),
    close: () => host.close(),
  }
}
