/** The file of an embedded store as a killed process leaves it: what it has written is there, and nobody has closed it. */
import { copyFileSync, existsSync, rmSync, statSync, truncateSync } from 'node:fs'
import { openEmbeddedStore } from '../../store/embedded.ts'
import type { Change, CommitResult, Store } from '../../store/store.ts'

/** Committed transactions lie behind each other in the second file until they are brought into the first. */
const ENDS = ['', '-wal']

export class StoreFile {
  readonly #stem: string
  #generation = 0
  #store: Store | undefined
  /** Bytes of the "-wal" file that the last process has written. */
  #torn: number | undefined

  /** @param stem the beginning of the files' paths */
  constructor(stem: string) {
    this.#stem = stem
  }

  /** For a new process, which finds what the last one has left. That one must be dead. */
  async open(): Promise<Store> {
    const last = this.#path()
    const store = this.#store
    this.#generation += 1
    // A copy: the lock of a dead process would be gone, but that one lives on in this one.
    if (store !== undefined) {
      this.#copyFrom(last)
      await this.close()
    }
    this.#store = await openEmbeddedStore(this.#path())
    return this.#store
  }

  /** Commits, and is killed when this share of the transaction was written. */
  async commitTorn(changes: readonly Change[], share: number): Promise<CommitResult | undefined> {
    const before = this.#walSize()
    const { mtimeMs } = statSync(this.#path())
    const result = await this.#store?.commit(changes)
    const after = this.#walSize()
    // One that went into the first file too, or into the place of an older one, was whole before that.
    const isBehind = after > before && statSync(this.#path()).mtimeMs === mtimeMs
    if (isBehind) this.#torn = before + Math.floor((after - before) * share)
    return result
  }

  /** The next process finds none. */
  async lose(): Promise<void> {
    await this.close()
    this.#generation += 1
  }

  async close(): Promise<void> {
    await this.#store?.close()
    this.#store = undefined
  }

  #copyFrom(last: string): void {
    for (const end of ENDS) if (existsSync(last + end)) copyFileSync(last + end, this.#path() + end)
    if (this.#torn !== undefined) truncateSync(`${this.#path()}-wal`, this.#torn)
    this.#torn = undefined
    rmSync(last)
  }

  #path(): string {
    return `${this.#stem}-${this.#generation}.db`
  }

  #walSize(): number {
    return statSync(`${this.#path()}-wal`).size
  }
}
