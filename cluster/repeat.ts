/** Work in the background that puts something right: at once, when something calls for it, regularly, and again after a failure. */

export interface RepeatParts {
  readonly task: () => Promise<void>
  /** Milliseconds from a call to the task: what happens meanwhile is done together. */
  readonly gatherMs: number
  /** Milliseconds between the beginnings of two tasks at least. */
  readonly distanceMs: number
  /** Milliseconds after which the task is due though nothing called for it. */
  readonly regularMs: number
  /** Milliseconds from a failure to the next attempt. */
  readonly retryMs: number
  /** Told of the first failure in a row. */
  readonly onFailure: (error: unknown) => void
}

export interface Repeating {
  /** The task is due. While it fails its own attempts are enough. */
  soon(): void
  /** No further tasks. Resolves when the one under way has ended. */
  close(): Promise<void>
}

export function startRepeating(parts: RepeatParts): Repeating {
  return new Repeater(parts)
}

class Repeater implements Repeating {
  readonly #parts: RepeatParts
  #timer: NodeJS.Timeout | undefined
  #dueMs = Number.POSITIVE_INFINITY
  #begunMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  #isWanted = false
  #isFailing = false
  #isClosed = false

  constructor(parts: RepeatParts) {
    this.#parts = parts
    this.#schedule(0)
  }

  soon(): void {
    this.#isWanted = true
    if (this.#running === undefined && !this.#isFailing) this.#scheduleSoon()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #scheduleSoon(): void {
    const { gatherMs, distanceMs } = this.#parts
    this.#schedule(Math.max(gatherMs, this.#begunMs + distanceMs - performance.now()))
  }

  /** The earlier one counts. */
  #schedule(delayMs: number): void {
    const dueMs = performance.now() + delayMs
    if (this.#isClosed || dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => this.#begin(), delayMs)
  }

  #begin(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#begunMs = performance.now()
    this.#isWanted = false
    this.#running = this.#runOnce().then(() => {
      this.#running = undefined
      if (this.#isFailing) this.#schedule(this.#parts.retryMs)
      else if (this.#isWanted) this.#scheduleSoon()
      else this.#schedule(this.#parts.regularMs)
    })
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#parts.task()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.#isClosed) this.#parts.onFailure(error)
      this.#isFailing = true
    }
  }
}
