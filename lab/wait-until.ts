/** Waiting for what gives no sign by itself. */
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 10

/** What is waited for, and how long. */
export interface Wait {
  /** Follows "Waited 5 s in vain for": `the engine of h1`. */
  readonly what: string
  readonly timeoutMs: number
}

/** Asks again and again until the answer is neither false nor undefined, and gives it. @throws Error when the time is over */
export async function waitUntil<T>(
  { what, timeoutMs }: Wait,
  ask: () => T | false | undefined | Promise<T | false | undefined>,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}`)
    await sleep(PAUSE_MS)
  }
}
