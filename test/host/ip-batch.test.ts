import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openIpBatch } from '../../host/ip-batch.ts'
import { makeFakeIp, outcome } from './fake-ip-process.ts'

const EXISTS = 'RTNETLINK answers: File exists'

function failureOf(line: string, reason: string): string {
  return `Cannot run "ip ${line}": ${reason} (E_COMMAND)`
}

describe('a request', () => {
  test('is done when ip has come to its end mark', async () => {
    const { start, processes } = makeFakeIp()
    const request = outcome(openIpBatch(start).run(['link a', 'link b']))
    processes[0]?.tell()
    expect(await request).toBe('done')
    expect(processes[0]?.lines).toEqual(['link a', 'link b', 'romana-end-0'])
  })

  test('is not done before', async () => {
    const { start } = makeFakeIp()
    const request = outcome(openIpBatch(start).run(['link a']))
    expect(await Promise.race([request, Promise.resolve('waits')])).toBe('waits')
  })

  test('fails with the first failed line and its reason', async () => {
    const { start, processes } = makeFakeIp()
    const request = outcome(openIpBatch(start).run(['link a', `fail ${EXISTS}`, 'fail Second', 'link b']))
    processes[0]?.tell()
    expect(await request).toBe(failureOf(`fail ${EXISTS}`, EXISTS))
  })

  test('is done though ip warned', async () => {
    const { start, processes } = makeFakeIp()
    const request = outcome(openIpBatch(start).run(['warn Deprecated', 'link a']))
    processes[0]?.tell()
    expect(await request).toBe('done')
  })

  test('whose line names an unknown object fails with just that', async () => {
    const { start, processes } = makeFakeIp()
    const request = outcome(openIpBatch(start).run(['lnik a']))
    processes[0]?.tell()
    expect(await request).toBe(failureOf('lnik a', 'Object "lnik" is unknown, try "ip help".'))
  })

  test('of no lines is done at once and starts nothing', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    await batch.run([])
    expect(processes.flatMap(({ lines }) => lines)).toEqual([])
  })

  test('does not wait for the one before it: both are written at once', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    const requests = [outcome(batch.run(['link a'])), outcome(batch.run(['link b']))]
    expect(processes.map(({ lines }) => lines)).toEqual([
      ['link a', 'romana-end-0', 'link b', 'romana-end-2'],
    ])
    processes[0]?.tell()
    expect(await Promise.all(requests)).toEqual(['done', 'done'])
  })
})

test('each of many requests gets its own outcome, however the text of ip is cut into pieces', async () => {
  const line = fc.constantFrom('link a', 'warn Careful', `fail ${EXISTS}`, 'fail Error: Two\nlines', 'object')
  const lines = fc.array(line, { minLength: 1, maxLength: 4 })
  const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { minLength: 1, maxLength: 8 }), pieces, async (requests, cuts) => {
      const { start, processes } = makeFakeIp()
      const batch = openIpBatch(start)
      const outcomes = requests.map((request, index) => outcome(batch.run(named(request, index))))
      for (const cut of cuts) processes[0]?.tell(cut)
      processes[0]?.tell()
      const expected = requests.map((request, index) => expectedOutcome(named(request, index)))
      expect(await Promise.all(outcomes)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

/** Lines whose text and reason say which request and which line of it they are. */
function named(request: readonly string[], index: number): string[] {
  return request.map((line, place) => `${line.replaceAll('\n', ' ')} ${index}.${place}`)
}

function expectedOutcome(lines: readonly string[]): string {
  for (const [index, line] of lines.entries()) {
    const [word = '', ...rest] = line.split(' ')
    if (word === 'link' || word === 'warn') continue
    const reason = word === 'fail' ? rest.join(' ') : `Object "${word}" is unknown, try "ip help".`
    const warnings = lines.slice(0, index).filter((before) => before.startsWith('warn '))
    return failureOf(line, [...warnings.map((warning) => warning.slice('warn '.length)), reason].join('; '))
  }
  return 'done'
}

describe('when ip ends', () => {
  test('all requests under way fail with the reason, and the next use starts another one', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    const requests = [outcome(batch.run(['link a'])), outcome(batch.run(['link b']))]
    processes[0]?.tell(0)
    processes[0]?.end('Command was killed with SIGKILL (Forced termination): ip -force -batch -')
    const failure =
      'Cannot run "ip -batch": Command was killed with SIGKILL (Forced termination): ip -force -batch - (E_COMMAND)'
    expect(await Promise.all(requests)).toEqual([failure, failure])
    const next = outcome(batch.run([`fail ${EXISTS}`]))
    processes[1]?.tell()
    expect(await next).toBe(failureOf(`fail ${EXISTS}`, EXISTS))
    expect(processes).toHaveLength(2)
  })

  test('what it had told before stands', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    const first = outcome(batch.run(['link a']))
    processes[0]?.tell()
    const second = outcome(batch.run(['link b']))
    processes[0]?.end('it ended')
    expect(await Promise.all([first, second])).toEqual([
      'done',
      'Cannot run "ip -batch": it ended (E_COMMAND)',
    ])
  })

  test('between two requests, nobody is told', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    for (const index of [0, 1, 2]) {
      const request = outcome(batch.run(['link a']))
      processes[index]?.tell()
      processes[index]?.end('it ended')
      expect(await request).toBe('done')
    }
    expect(processes).toHaveLength(3)
  })
})

describe('when the batch is closed', () => {
  test('ip is ended and requests under way fail', async () => {
    const { start, processes } = makeFakeIp()
    const batch = openIpBatch(start)
    const request = outcome(batch.run(['link a']))
    batch.close()
    expect(await request).toBe('Cannot run "ip -batch": the plugin stops (E_COMMAND)')
    expect(processes[0]?.isKilled).toBe(true)
  })

  test('and was never used, nothing is started', () => {
    const { start, processes } = makeFakeIp()
    openIpBatch(start).close()
    expect(processes).toEqual([])
  })
})
