/** Other hosts write the same records of the directory: read, decide, write, and begin anew when somebody was faster. */
import { RomanaError } from '../errors.ts'

/** Whoever loses a round lost it to somebody who got on: as many rounds as hosts that do the same at the same moment. */
const ATTEMPTS = 300

/**
 * Repeats `attempt` until it gives something other than undefined, which stands for a lost race.
 * @param what follows "Cannot" in the message.
 * @throws RomanaError E_CONFLICT, and what `attempt` throws
 */
export async function untilDone<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let round = 0; round < ATTEMPTS; round += 1) {
    const result = await attempt()
    if (result !== undefined) return result
  }
  throw new RomanaError('E_CONFLICT', {
    cannot: what,
    because: `other writers came first ${ATTEMPTS} times`,
    remedy: 'Try again',
  })
}
