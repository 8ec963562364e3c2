import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseName } from '../../ipam-driver/names.ts'
import { removeSegment } from '../../ipam-driver/segments.ts'
import { removeTenant } from '../../ipam-driver/tenants.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { expectSound, holdsOf, numbersOf, segmentsOf } from './directory-steps.ts'
import { type Ipam, keysOf, makeIpam, type PoolOptions } from './ipam-steps.ts'

/** Numbers 1 to 3 of tenants, and of segments in each. */
const FEW = { plan: '10.0.0.0/8 8/2/2/12' }

describe('numbers', () => {
  it('of tenants end with the field', async () => {
    const ipam = makeIpam(FEW)
    for (const tenant of ['a', 'b', 'c']) await ipam.pool({ tenant })
    await expect(ipam.pool({ tenant: 'd' })).rejects.toThrow(
      'Cannot make another tenant: all 3 tenant numbers of the plan are taken. Remove one that is not needed ("romana tenant list" shows them), or use a plan with more tenant bits (E_TENANTS_FULL)',
    )
    expect(await keysOf(ipam.directory, '/tenants/')).toBe('/tenants/a /tenants/b /tenants/c')
  })

  it('of segments end with the field, in each tenant', async () => {
    const ipam = makeIpam(FEW)
    for (const segment of ['x', 'y', 'z']) await ipam.pool({ tenant: 'a', segment })
    await expect(ipam.pool({ tenant: 'a', segment: 'w' })).rejects.toThrow(
      'Cannot make another segment: all 3 segment numbers of tenant "a" are taken. Remove one that is not needed ("romana segment list" shows them; one that was made for a network goes with it, and a network that Docker has lost with "romana network remove"), or use a plan with more segment bits (E_TENANTS_FULL)',
    )
    expect((await ipam.pool({ tenant: 'b', segment: 'w' })).Pool).toBe('10.1.144.0/20')
  })

  it('of automatic segments end too, and go on with the first that is released', async () => {
    const ipam = makeIpam(FEW)
    const [first] = [await ipam.pool(), await ipam.pool(), await ipam.pool()]
    await expect(ipam.pool()).rejects.toThrow('all 3 segment numbers of tenant "default" are taken')
    await ipam.releasePool(first.PoolID)
    expect((await ipam.pool()).PoolID).toBe('10.1.80.0/20,default,auto-1')
  })

  it('are 0 where the plan has no bits for a field', async () => {
    const ipam = makeIpam({ plan: '192.168.0.0/16 0/0/8/8', host: 0n })
    expect((await ipam.pool({ segment: 'web' })).PoolID).toBe('192.168.1.0/24,default,web')
    await expect(ipam.pool({ tenant: 'blue' })).rejects.toThrow('all 1 tenant numbers of the plan are taken')
  })
})

describe('two hosts over one directory', () => {
  /** Each with a journal of its own. */
  function makeHosts(directory: Store, plan?: string): [Ipam, Ipam] {
    const wish = { directory, ...(plan === undefined ? {} : { plan }) }
    return [makeIpam({ ...wish, host: 1n }), makeIpam({ ...wish, host: 2n })]
  }

  it('agree on the numbers of a segment that both make at the same moment', async () => {
    const [one, two] = makeHosts(openMemoryStore())
    const wish = { tenant: 'blue', segment: 'web' }
    const [a, b] = await Promise.all([one.pool(wish), two.pool(wish)])
    expect(`${a.Pool} ${b.Pool}`).toBe('10.1.17.0/24 10.2.17.0/24')
    expect(await holdsOf(one.directory)).toBe('blue/web@1 blue/web@2')
  })

  it('give different segments different numbers, made at the same moment', async () => {
    const directory = openMemoryStore()
    const [one, two] = makeHosts(directory)
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(names.map((segment, index) => (index % 2 === 0 ? one : two).pool({ segment })))
    const numbers = (await numbersOf(directory, '/segment-numbers/default/')).split(', ')
    expect(numbers.map((text) => text.replace(/ .*/, '')).join(' ')).toBe('1 2 3 4 5 6')
    expect(numbers.map((text) => text.replace(/.* /, '')).toSorted()).toEqual(names)
  })

  it('give each automatic network a segment of its own, made at the same moment', async () => {
    const [one, two] = makeHosts(openMemoryStore())
    const made = await Promise.all([one.pool(), two.pool(), one.pool(), two.pool()])
    expect(new Set(made.map(({ Pool }) => Pool.split('.')[2])).size).toBe(4)
  })

  it('of which both leave an automatic segment at the same moment remove it', async () => {
    const [one, two] = makeHosts(openMemoryStore())
    const ids = [await one.pool(), await two.pool({ segment: 'auto-1' })].map(({ PoolID }) => PoolID)
    await Promise.all([one.releasePool(ids[0] ?? ''), two.releasePool(ids[1] ?? '')])
    expect(await segmentsOf(one.directory)).toBe('')
    expect(await numbersOf(one.directory, '/segment-numbers/default/')).toBe('1 auto-1 resting')
  })

  it('keep names and numbers paired, whatever they ask for, release and remove', async () => {
    const name = fc.constantFrom('a', 'b')
    const options: fc.Arbitrary<PoolOptions> = fc.record(
      { tenant: name, segment: name },
      { requiredKeys: [] },
    )
    const wish = fc.record({ kind: fc.constant('ask' as const), options, release: fc.boolean() })
    const removal = fc.record({
      kind: fc.constant('remove' as const),
      tenant: name,
      segment: fc.option(name),
    })
    const step = fc.record({ host: fc.nat(1), atOnce: fc.boolean(), what: fc.oneof(wish, removal) })
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const directory = openMemoryStore()
      const hosts = makeHosts(directory, '10.0.0.0/8 4/6/6/8')
      const running: Promise<unknown>[] = []
      for (const { host, atOnce, what } of steps) {
        running.push(carryOut(hosts[host] ?? hosts[0], what))
        if (!atOnce) await Promise.allSettled(running)
      }
      const failures = (await Promise.allSettled(running)).flatMap((outcome) =>
        outcome.status === 'rejected' ? [String(outcome.reason)] : [],
      )
      expect(failures.filter((text) => !/\(E_SEGMENT_(UNKNOWN|IN_USE)\)$/.test(text))).toEqual([])
      await expectSound(directory, hosts)
    })
    await fc.assert(property, { numRuns: 200 })
  })

  type Step =
    | { readonly kind: 'ask'; readonly options: PoolOptions; readonly release: boolean }
    | { readonly kind: 'remove'; readonly tenant: string; readonly segment: string | null }

  async function carryOut(ipam: Ipam, step: Step): Promise<unknown> {
    if (step.kind === 'ask') {
      const { PoolID } = await ipam.pool(step.options)
      return step.release ? ipam.releasePool(PoolID) : undefined
    }
    const tenant = parseName('tenant', step.tenant)
    if (step.segment === null) return removeTenant(ipam.directory, tenant)
    return removeSegment(ipam.directory, tenant, parseName('segment', step.segment))
  }
})
