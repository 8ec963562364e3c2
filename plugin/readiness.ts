/** Calls that come before recovery is done wait for it, but not for ever: the engine waits for them without a limit. */
import { RomanaError, reasonOf } from '../errors.ts'

/** How long a call waits, in milliseconds. The engine's own limit, where it has one, is 30 s. */
export const READY_TIMEOUT_MS = 20_000

/**
 * Waits for `ready` for `timeoutMs` at most.
 * @throws RomanaError E_NOT_READY when time is up, and what `ready` was rejected with.
 */
export async function waitUntilReady<T>(ready: Promise<T>, timeoutMs = READY_TIMEOUT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(notReady(`it has not finished within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([ready, timeUp])
  } catch (error) {
    throw error instanceof RomanaError ? error : notReady(reasonOf(error), error)
  } finally {
    clearTimeout(timer)
  }
}

function notReady(because: string, cause?: unknown): RomanaError {
  return new RomanaError('E_NOT_READY', {
    cannot: "recover this host's state",
    because,
    remedy: "Look into the plugin's log, which is part of the engine's",
    cause,
  })
}
