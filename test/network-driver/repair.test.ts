import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RepairLoop, startRepairLoop } from '../../network-driver/repair.ts'

/** A look takes so long, and finds something when a test says so. */
const LOOK_MS = 50

interface Looks {
  readonly loop: RepairLoop
  /** "350: a, b" is a look that began after 350 ms, give or take ten, because of a and b. */
  readonly looks: string[]
  readonly fights: number[]
  readonly failures: unknown[]
  /** What looks find: a plan, "" or an error. */
  find: string | Error
}

const loops: RepairLoop[] = []
beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(async () => {
  const closing = loops.splice(0).map((loop) => loop.close())
  await vi.advanceTimersByTimeAsync(LOOK_MS)
  await Promise.all(closing)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function startLooks(): Looks {
  const startedMs = performance.now()
  const all: Omit<Looks, 'loop'> = { looks: [], fights: [], failures: [], find: '' }
  const loop = startRepairLoop({
    async look(noticed) {
      const ms = Math.floor((performance.now() - startedMs) / 10) * 10
      all.looks.push(`${ms}: ${noticed.join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      if (all.find instanceof Error) throw all.find
      return all.find
    },
    onFight: ({ waitMs }) => all.fights.push(waitMs),
    onFailure: (error) => all.failures.push(error),
  })
  loops.push(loop)
  return Object.assign(all, { loop })
}

/** Others undo the repair as soon as they see it. */
async function fightFor(ms: number, { loop, looks }: Looks): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    loop.notice(['rule gone'])
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(looks.length).toBeGreaterThan(0)
}

describe('the repair loop', () => {
  it('looks at once when something is noticed, and once for all that is noticed meanwhile', async () => {
    const { loop, looks } = startLooks()
    loop.notice(['a', 'b'])
    loop.notice(['b', 'c'])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(looks).toEqual(['0: a, b, c'])
  })

  it('looks again when something is noticed during a look', async () => {
    const { loop, looks } = startLooks()
    loop.notice(['a'])
    await vi.advanceTimersByTimeAsync(20)
    loop.notice(['b'])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(looks).toEqual(['0: a', '550: b'])
  })

  it('looks every half second at most, however much is noticed', async () => {
    const all = startLooks()
    await fightFor(10_000, all)
    expect(all.looks).toHaveLength(19)
    expect(all.fights).toEqual([])
  })

  it('looks every minute though nothing is noticed', async () => {
    const { looks } = startLooks()
    await vi.advanceTimersByTimeAsync(180_500)
    expect(looks).toEqual([60_000, 120_000, 180_000].map((ms) => `${ms}: `))
  })

  it('repairs at once what is taken every four seconds, for ever', async () => {
    const all = startLooks()
    all.find = 'plan'
    for (let times = 0; times < 100; times += 1) {
      all.loop.notice(['rule gone'])
      await vi.advanceTimersByTimeAsync(4_000)
    }
    const waitedMs = all.looks
      .filter((look) => look.endsWith('rule gone'))
      .map((look) => Number.parseInt(look, 10) % 4_000)
    expect(waitedMs).toHaveLength(100)
    expect(Math.max(...waitedMs)).toBeLessThanOrEqual(550)
    expect(all.fights).toEqual([])
  })

  it('looks less and less often while repairs do not last, and says so', async () => {
    const all = startLooks()
    all.find = 'plan'
    await fightFor(60_000, all)
    expect(all.fights).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000])
    expect(all.looks).toHaveLength(27)
  })

  it('takes no number of changes that it expects for a fight', async () => {
    const all = startLooks()
    all.find = 'plan'
    for (let times = 0; times < 100; times += 1) {
      all.loop.expect('the hosts of the cluster')
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(all.fights).toEqual([])
    // Beside those that are due every minute.
    expect(all.looks.filter((look) => look.endsWith('the hosts of the cluster'))).toHaveLength(100)
  })

  it('is as quick as ever when the fight is over', async () => {
    const all = startLooks()
    all.find = 'plan'
    await fightFor(60_000, all)
    all.find = ''
    await vi.advanceTimersByTimeAsync(20_000)
    all.looks.length = 0
    all.loop.notice(['a'])
    await vi.advanceTimersByTimeAsync(10)
    expect(all.looks).toHaveLength(1)
  })

  it('repeats a look that failed, less and less often, until one succeeds', async () => {
    const all = startLooks()
    all.find = new Error('the xtables lock is held')
    all.loop.notice(['rule gone'])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(all.looks).toEqual([
      '0: rule gone',
      ...[1_050, 3_100, 7_150, 15_200, 25_250].map((ms) => `${ms}: a look that failed`),
    ])
    expect(all.failures).toEqual(Array.from({ length: 6 }, () => all.find))
    all.find = ''
    await vi.advanceTimersByTimeAsync(40_000)
    expect(all.looks.filter((look) => look.endsWith('failed'))).toHaveLength(6)
  })

  it('is as quick as ever behind a look that failed, and takes no failure for a fight', async () => {
    const all = startLooks()
    all.find = new Error('the xtables lock is held')
    all.loop.notice(['rule gone'])
    await vi.advanceTimersByTimeAsync(100)
    all.find = 'plan'
    await vi.advanceTimersByTimeAsync(1_000)
    for (let times = 0; times < 3; times += 1) {
      all.loop.notice(['rule gone again'])
      await vi.advanceTimersByTimeAsync(600)
    }
    expect(all.looks).toEqual([
      '0: rule gone',
      '1050: a look that failed',
      ...[1_600, 2_150, 2_700].map((ms) => `${ms}: rule gone again`),
    ])
    expect(all.fights).toEqual([])
  })

  it('ends when the look under way has ended', async () => {
    const { loop, looks } = startLooks()
    loop.notice(['a'])
    await vi.advanceTimersByTimeAsync(20)
    loop.notice(['b'])
    let isClosed = false
    const closing = loop.close().then(() => {
      isClosed = true
    })
    await vi.advanceTimersByTimeAsync(20)
    expect(isClosed).toBe(false)
    await vi.advanceTimersByTimeAsync(120_000)
    await closing
    loop.notice(['c'])
    await vi.advanceTimersByTimeAsync(120_000)
    expect(looks).toEqual(['0: a'])
  })
})
