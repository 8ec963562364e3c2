import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failForGood, keepTrying, RETRY_DELAYS_MS } from '../../plugin/keep-trying.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Fails as often as told, and counts. */
function makeAttempt(failures: number) {
  const log: string[] = []
  const attempt = async () => {
    log.push('tried')
    if (log.length <= failures) throw new Error(`failure ${log.length}`)
    return 'well'
  }
  return { attempt, log }
}

describe('what is kept trying', () => {
  it('is tried once when it goes well', async () => {
    const { attempt, log } = makeAttempt(0)
    const trying = keepTrying(attempt, () => undefined)
    expect(await trying.current()).toBe('well')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log.join(' ')).toBe('tried')
  })

  it('shows its last failure until the next attempt, and then how that goes', async () => {
    const told: string[] = []
    const trying = keepTrying(makeAttempt(2).attempt, (error) => told.push(String(error)), [100, 1_000])
    await expect(trying.current()).rejects.toThrow('failure 1')
    await vi.advanceTimersByTimeAsync(100)
    await expect(trying.current()).rejects.toThrow('failure 2')
    await vi.advanceTimersByTimeAsync(999)
    await expect(trying.current()).rejects.toThrow('failure 2')
    await vi.advanceTimersByTimeAsync(1)
    expect(await trying.current()).toBe('well')
    expect(told.join(', ')).toBe('Error: failure 1, Error: failure 2')
  })

  it('is tried less and less often, and never given up', async () => {
    const { attempt, log } = makeAttempt(Number.POSITIVE_INFINITY)
    const triedAtMs: number[] = []
    const start = Date.now()
    const trying = keepTrying(
      () => {
        triedAtMs.push(Date.now() - start)
        return attempt()
      },
      () => undefined,
    )
    await vi.advanceTimersByTimeAsync(110_000)
    expect(triedAtMs.join(' ')).toBe('0 1000 3000 8000 18000 48000 78000 108000')
    expect(RETRY_DELAYS_MS.at(-1)).toBe(30_000)
    trying.stop()
    await vi.advanceTimersByTimeAsync(100_000)
    expect(log).toHaveLength(8)
  })

  it('is not tried again when it was stopped during an attempt', async () => {
    const { attempt, log } = makeAttempt(1)
    const trying = keepTrying(attempt, () => undefined, [10])
    trying.stop()
    await expect(trying.current()).rejects.toThrow('failure 1')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(log.join(' ')).toBe('tried')
  })

  it('or fails for good, when no attempt can help', async () => {
    const told: unknown[] = []
    const trying = failForGood(new Error('wrong setting'), (error) => told.push(error))
    await expect(trying.current()).rejects.toThrow('wrong setting')
    expect(told).toEqual([new Error('wrong setting')])
    trying.stop()
  })
})
