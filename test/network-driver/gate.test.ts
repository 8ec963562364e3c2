import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Gate, makeGate } from '../../network-driver/gate.ts'

/** A task that says when it begins and ends, and ends when it is told to. */
function makeTask(name: string, log: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const run = async () => {
    log.push(`+${name}`)
    await promise.finally(() => log.push(`-${name}`))
  }
  return { run, end: resolve, fail: () => reject(new Error(name)) }
}

/** Lets everything happen that can. */
function settle(): Promise<void> {
  return new Promise(setImmediate)
}

describe('the gate', () => {
  it('lets shared tasks run side by side', async () => {
    const log: string[] = []
    const gate = makeGate()
    const [a, b] = [makeTask('a', log), makeTask('b', log)]
    const both = [gate.shared(a.run), gate.shared(b.run)]
    await settle()
    expect(log.join(' ')).toBe('+a +b')
    b.end()
    a.end()
    await Promise.all(both)
  })

  it('lets an exclusive task wait for those before it, and later ones wait for it', async () => {
    const log: string[] = []
    const gate = makeGate()
    const [before, alone, after] = [makeTask('before', log), makeTask('alone', log), makeTask('after', log)]
    const all = [gate.shared(before.run), gate.exclusive(alone.run), gate.shared(after.run)]
    await settle()
    expect(log.join(' ')).toBe('+before')
    before.end()
    await settle()
    expect(log.join(' ')).toBe('+before -before +alone')
    alone.end()
    await settle()
    expect(log.join(' ')).toBe('+before -before +alone -alone +after')
    after.end()
    await Promise.all(all)
  })

  it.each(['shared', 'exclusive'] as const)('goes on behind a failed %s task', async (kind) => {
    const gate = makeGate()
    const failed = makeTask('failed', [])
    const outcome = gate[kind](failed.run)
    const next = [gate.exclusive(async () => 'exclusive'), gate.shared(async () => 'shared')]
    failed.fail()
    await expect(outcome).rejects.toThrow('failed')
    expect(await Promise.all(next)).toEqual(['exclusive', 'shared'])
  })

  it('never lets an exclusive task run beside another, whatever comes when', async () => {
    const task = fc.record({
      kind: fc.constantFrom<keyof Gate>('shared', 'exclusive'),
      turns: fc.nat(4),
      pauseBefore: fc.nat(2),
      fails: fc.boolean(),
    })
    const property = fc.asyncProperty(fc.array(task, { maxLength: 15 }), async (tasks) => {
      const gate = makeGate()
      const running = new Set<string>()
      const results = []
      for (const { kind, turns, pauseBefore, fails } of tasks) {
        for (let turn = 0; turn < pauseBefore; turn += 1) await undefined
        const run = async () => {
          const name = `${kind} ${results.length}`
          const others = [...running]
          if (kind === 'exclusive') expect(others).toEqual([])
          expect(others.filter((other) => other.startsWith('exclusive'))).toEqual([])
          running.add(name)
          for (let turn = 0; turn < turns; turn += 1) await undefined
          running.delete(name)
          if (fails) throw new Error('as told')
        }
        results.push(gate[kind](run).catch((error: unknown) => String(error)))
      }
      const told = tasks.map(({ fails }) => (fails ? 'Error: as told' : undefined))
      expect(await Promise.all(results)).toEqual(told)
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
