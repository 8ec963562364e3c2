import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openIpBatch } from '../../host/ip-batch.ts'
import { makeFakeIp, outcome } from './fake-ip-process.ts'

describe('when ip says nothing for too long', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('it is ended, all requests under way fail, and the next use starts another one', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start, 100)
    const requests = [outcome(batch.run(['link a', 'link b'])), outcome(batch.run(['link c']))]
    vi.advanceTimersByTime(99)
    expect(processes[0]?.isKilled).toBe(false)
    vi.advanceTimersByTime(1)
    const failure = 'Cannot run "ip -batch": no answer within 100 ms to "link a" (E_COMMAND)'
    expect(await Promise.all(requests)).toEqual([failure, failure])
    expect(processes[0]?.isKilled).toBe(true)
    const next = outcome(batch.run(['link d']))
    processes[0]?.tell()
    processes[1]?.tell()
    expect(await next).toBe('done')
  })

  test('to the first request: the wait of the next begins with its turn', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start, 100)
    const requests = ['link a', 'link b', 'link c'].map((line) => outcome(batch.run([line])))
    for (const lineNumber of [2, 4]) {
      vi.advanceTimersByTime(90)
      processes[0]?.tell(
        `Object "romana-end-0" is unknown, try "ip help".\nCommand failed -:${lineNumber}\n`.length,
      )
    }
    vi.advanceTimersByTime(99)
    expect(processes[0]?.isKilled).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await Promise.all(requests)).toEqual([
      'done',
      'done',
      'Cannot run "ip -batch": no answer within 100 ms to "link c" (E_COMMAND)',
    ])
  })

  test('to the first request: those that follow do not prolong its wait', () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start, 100)
    void outcome(batch.run(['link a']))
    vi.advanceTimersByTime(60)
    void outcome(batch.run(['link b']))
    vi.advanceTimersByTime(40)
    expect(processes[0]?.isKilled).toBe(true)
  })

  test('the wait is 5 s', () => {
    const { start, processes } = makeFakeIp()
    void outcome(openIpBatch(start).run(['link a']))
    vi.advanceTimersByTime(4_999)
    expect(processes[0]?.isKilled).toBe(false)
    vi.advanceTimersByTime(1)
    expect(processes[0]?.isKilled).toBe(true)
  })

  test('but has ended, there is nothing more to wait for', () => {
    const { start, processes } = makeFakeIp()
    void outcome(openIpBatch(start).run(['link a']))
    processes[0]?.end('it ended')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('but has answered all, it lives on', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start, 100)
    const request = outcome(batch.run(['link a']))
    processes[0]?.tell()
    await request
    vi.advanceTimersByTime(1000)
    expect(processes[0]?.isKilled).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })
})
