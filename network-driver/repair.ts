/**
 * The host repairs itself: whatever was noticed leads to a look at the host, and the look puts back what is missing. Looks
 * keep a distance from each other, and a larger one while another program keeps undoing the repair.
 */

export interface RepairParts {
  /**
   * Looks at the host and puts it right. Gives the plan that it took; "" when nothing was missing.
   * @param noticed what called for the look, in words for the log; nothing when it is only due.
   */
  readonly look: (noticed: readonly string[]) => Promise<string>
  /** Told when the next look waits because repairs do not last. */
  readonly onFight: (fight: { readonly plan: string; readonly waitMs: number }) => void
  /** Told of a look that failed. It is repeated. */
  readonly onFailure: (error: unknown) => void
}

export interface RepairLoop {
  /** What was noticed, in words for the log. A look follows. */
  notice(what: readonly string[]): void
  /** What the host shall carry has changed: a look follows too, and what it changes is no repair. */
  expect(what: string): void
  /** No further looks. Resolves when the one under way has ended. */
  close(): Promise<void>
}

/** Milliseconds between two looks at least. Rules that are gone shall be back within 2 s. */
const DISTANCE_MS = 500
/** So many repairs in a row are a fight: they have another program behind them. */
const FIGHT = 20
/** Milliseconds to the next look in a fight, or after a look that failed: doubled with each repair or failure, up to the longest. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 10_000
/** A row of repairs ends when for so many milliseconds nothing is noticed. */
export const CALM_MS = 3_000
/** Milliseconds after which there is a look though nothing was noticed. */
const REGULAR_MS = 60_000

export function startRepairLoop(parts: RepairParts): RepairLoop {
  return new Loop(parts)
}

class Loop implements RepairLoop {
  readonly #parts: RepairParts
  readonly #noticed = new Set<string>()
  readonly #expected = new Set<string>()
  readonly #regular = setInterval(() => this.#lookSoon(), REGULAR_MS)
  #timer: NodeJS.Timeout | undefined
  #look: Promise<void> | undefined
  #isClosed = false
  #lastLookMs = Number.NEGATIVE_INFINITY
  #lastRepairMs = Number.NEGATIVE_INFINITY
  #repairsInRow = 0
  #failuresInRow = 0

  constructor(parts: RepairParts) {
    this.#parts = parts
  }

  notice(what: readonly string[]): void {
    for (const text of what) this.#noticed.add(text)
    this.#lookSoon()
  }

  expect(what: string): void {
    this.#expected.add(what)
    this.#lookSoon()
  }

  #lookSoon(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#look !== undefined) return
    const nowMs = performance.now()
    if (nowMs - this.#lastRepairMs > CALM_MS) this.#repairsInRow = 0
    const waitMs = Math.max(0, this.#lastLookMs + this.#distanceMs() - nowMs)
    this.#timer = setTimeout(() => this.#begin(), waitMs)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#regular)
    clearTimeout(this.#timer)
    await this.#look
  }

  #distanceMs(): number {
    return Math.max(waitAfter(this.#repairsInRow - FIGHT + 1), waitAfter(this.#failuresInRow))
  }

  #begin(): void {
    this.#timer = undefined
    this.#look = this.#lookOnce().then(() => {
      this.#look = undefined
      if (this.#noticed.size + this.#expected.size > 0) this.#lookSoon()
    })
  }

  async #lookOnce(): Promise<void> {
    const noticed = [...this.#noticed, ...this.#expected]
    const isExpected = this.#noticed.size === 0 && this.#expected.size > 0
    this.#noticed.clear()
    this.#expected.clear()
    try {
      const plan = await this.#parts.look(noticed)
      this.#lastLookMs = performance.now()
      this.#failuresInRow = 0
      if (plan !== '' && !isExpected) this.#countRepair(plan)
    } catch (error) {
      this.#lastLookMs = performance.now()
      this.#countFailure(error)
    }
  }

  #countRepair(plan: string): void {
    this.#lastRepairMs = this.#lastLookMs
    this.#repairsInRow += 1
    if (this.#repairsInRow >= FIGHT) this.#parts.onFight({ plan, waitMs: this.#distanceMs() })
  }

  /** What was wrong still is: a fight is no calmer for it. One failure, such as a lock that somebody holds, is not a fight. */
  #countFailure(error: unknown): void {
    this.#lastRepairMs = this.#lastLookMs
    this.#failuresInRow += 1
    this.#parts.onFailure(error)
    this.#noticed.add('a look that failed')
  }
}

/** @param times how often in a row what calls for a wait has happened. */
function waitAfter(times: number): number {
  return times <= 0 ? DISTANCE_MS : Math.min(FIRST_WAIT_MS * 2 ** (times - 1), LONGEST_WAIT_MS)
}
