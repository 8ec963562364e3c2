/** Something that must succeed once: tried again and again, less and less often, until it does. */

export interface KeepTrying<T> {
  /** The outcome of the attempt under way or, between two attempts, the failure of the last one. */
  current(): Promise<T>
  /** No further attempts. */
  stop(): void
}

/** Milliseconds until the next attempt: after the first failure, the second, and so on; the last one goes on. */
export const RETRY_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000]

/** @param onFailure told of each failed attempt. */
export function keepTrying<T>(
  attempt: () => Promise<T>,
  onFailure: (error: unknown) => void,
  delaysMs: readonly number[] = RETRY_DELAYS_MS,
): KeepTrying<T> {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failures = 0
  let outcome = tryOnce()

  function tryOnce(): Promise<T> {
    const result = attempt()
    result.catch((error: unknown) => {
      onFailure(error)
      const delayMs = delaysMs[Math.min(failures, delaysMs.length - 1)]
      failures += 1
      if (!stopped) timer = setTimeout(tryAgain, delayMs)
    })
    return result
  }
  function tryAgain(): void {
    outcome = tryOnce()
  }
  return {
    current: () => outcome,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** What cannot come to succeed: a wrong setting stays wrong until the plugin is started anew. */
export function failForGood<T>(reason: unknown, onFailure: (error: unknown) => void): KeepTrying<T> {
  onFailure(reason)
  return { current: () => Promise.reject(reason), stop: () => undefined }
}
