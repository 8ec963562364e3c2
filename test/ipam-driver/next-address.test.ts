import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { journalKeys } from '../../store/keys.ts'
import { formatRecord } from '../../store/records.ts'
import { type Ipam, makeIpam } from './ipam-steps.ts'

/** Cells of eight addresses: .10 to .14 are given out. */
const PLAN = '10.0.0.0/8 8/8/5/3'
const ALL = ['10.1.1.10', '10.1.1.11', '10.1.1.12', '10.1.1.13', '10.1.1.14']

/** Containers that come and go in one cell, whose endpoints are made at once. */
class Cell {
  #ms = 0
  #ipam: Ipam = this.#start({})
  #poolId = ''

  static async open(): Promise<Cell> {
    const cell = new Cell()
    cell.#poolId = (await cell.#ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID
    return cell
  }

  #start(stores: Partial<Ipam>): Ipam {
    return makeIpam({ ...stores, plan: PLAN, nowMs: () => this.#ms })
  }

  restart(): void {
    this.#ipam = this.#start(this.#ipam)
  }

  wait(ms: number): void {
    this.#ms += ms
  }

  /** "full" when there is none. */
  async run(wanted?: string): Promise<string> {
    const answer = await this.#ipam.address(this.#poolId, wanted).catch(() => 'full')
    if (answer === 'full') return answer
    const address = answer.replace('/32', '')
    const key = journalKeys.address(Ip.parse(address))
    const value = formatRecord({ address, state: 'endpoint', endpointId: 'e1' })
    await this.#ipam.journal.commit([{ kind: 'put', key, value }])
    return address
  }

  async stop(address: string): Promise<void> {
    await this.#ipam.release(address)
  }
}

describe('among addresses that were given back', () => {
  it.each([
    ['that have rested', 60_000],
    ['that rest still, when there is no other', 1_000],
  ])('%s the first is the one that was given back first, whatever its number', async (_which, ms) => {
    const cell = await Cell.open()
    for (const address of ALL) expect(await cell.run()).toBe(address)
    for (const address of ['10.1.1.13', '10.1.1.10', '10.1.1.12']) await cell.stop(address)
    cell.wait(ms)
    const given = [await cell.run(), await cell.run(), await cell.run(), await cell.run()]
    expect(given.join(' ')).toBe('10.1.1.13 10.1.1.10 10.1.1.12 full')
  })

  it('one that was never given out comes before all', async () => {
    const cell = await Cell.open()
    for (const address of ALL.slice(0, 3)) expect(await cell.run()).toBe(address)
    await cell.stop('10.1.1.11')
    cell.wait(60_000)
    cell.restart()
    const given = [await cell.run(), await cell.run(), await cell.run(), await cell.run()]
    expect(given.join(' ')).toBe('10.1.1.13 10.1.1.14 10.1.1.11 full')
  })

  type Step =
    | { readonly what: 'run' | 'restart' }
    | { readonly what: 'run by name' | 'stop'; readonly which: number }
    | { readonly what: 'wait'; readonly ms: number }

  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant('run' as const) }) },
    { weight: 4, arbitrary: fc.record({ what: fc.constant('stop' as const), which: fc.nat(4) }) },
    fc.record({ what: fc.constant('run by name' as const), which: fc.nat(4) }),
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 60_000) }),
    },
    fc.record({ what: fc.constant('restart' as const) }),
  )

  it('the first in is the first out, after whatever came before', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(0, 3, 5, 5),
      fc.array(step, { maxLength: 40 }),
      async (full, steps) => {
        const cell = await Cell.open()
        const unused = [...ALL]
        const resting: string[] = []
        const taken: string[] = []
        const take = (address: string) => {
          for (const list of [unused, resting])
            if (list.includes(address)) list.splice(list.indexOf(address), 1)
          taken.push(address)
        }
        const begin = Array.from({ length: full }, () => ({ what: 'run' as const }))
        for (const each of [...begin, ...steps]) {
          if (each.what === 'wait') cell.wait(each.ms)
          if (each.what === 'restart') cell.restart()
          if (each.what === 'run') {
            const expected = unused[0] ?? resting[0] ?? 'full'
            expect(await cell.run()).toBe(expected)
            if (expected !== 'full') take(expected)
          }
          if (each.what === 'run by name') {
            const address = ALL[each.which] ?? ''
            const isTaken = taken.includes(address)
            expect(await cell.run(address)).toBe(isTaken ? 'full' : address)
            if (!isTaken) take(address)
          }
          const stopped = each.what === 'stop' ? taken.splice(each.which, 1)[0] : undefined
          if (stopped === undefined) continue
          await cell.stop(stopped)
          resting.push(stopped)
        }
      },
    )
    await fc.assert(property, { numRuns: 800 })
  })
})
