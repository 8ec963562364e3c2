import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { type Ipam, keysOf, makeIpam, type PoolOptions } from './ipam-steps.ts'

/** Numbers 1 to 3 of tenants, and of segments in each. */
const FEW = { plan: '10.0.0.0/8 8/2/2/12' }

describe('numbers', () => {
  it('of tenants end with the field', async () => {
    const ipam = makeIpam(FEW)
    for (const tenant of ['a', 'b', 'c']) await ipam.pool({ tenant })
    await expect(ipam.pool({ tenant: 'd' })).rejects.toThrow(
      'Cannot make another tenant: all 3 tenant numbers of the plan are taken. Remove a tenant, or use a plan with more tenant bits (E_TENANTS_FULL)',
    )
    expect(await keysOf(ipam.directory, '/tenants/')).toBe('/tenants/a /tenants/b /tenants/c')
  })

  it('of segments end with the field, in each tenant', async () => {
    const ipam = makeIpam(FEW)
    for (const segment of ['x', 'y', 'z']) await ipam.pool({ tenant: 'a', segment })
    await expect(ipam.pool({ tenant: 'a', segment: 'w' })).rejects.toThrow(
      'Cannot make another segment: all 3 segment numbers of tenant "a" are taken. Remove a segment, or use a plan with more segment bits (E_TENANTS_FULL)',
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
  function makeHosts(directory: Store): [Ipam, Ipam] {
    return [makeIpam({ directory, host: 1n }), makeIpam({ directory, host: 2n })]
  }

  /** "blue=1 green=2", in order of numbers. */
  async function numbersOf(directory: Store, prefix: string): Promise<string[]> {
    const { entries } = await directory.list(prefix)
    return entries.map(({ key, value }) => `${value}=${key.slice(prefix.length)}`)
  }

  it('agree on the numbers of a segment that both make at the same moment', async () => {
    const [one, two] = makeHosts(openMemoryStore())
    const wish = { tenant: 'blue', segment: 'web' }
    const [a, b] = await Promise.all([one.pool(wish), two.pool(wish)])
    expect(`${a.Pool} ${b.Pool}`).toBe('10.1.17.0/24 10.2.17.0/24')
  })

  it('give different segments different numbers, made at the same moment', async () => {
    const directory = openMemoryStore()
    const [one, two] = makeHosts(directory)
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(names.map((segment, index) => (index % 2 === 0 ? one : two).pool({ segment })))
    const numbers = await numbersOf(directory, '/segment-numbers/default/')
    expect(numbers.map((text) => text.replace(/.*=/, '')).join(' ')).toBe('1 2 3 4 5 6')
    expect(numbers.map((text) => text.replace(/=.*/, '')).toSorted()).toEqual(names)
  })

  it('give each automatic network a segment of its own, made at the same moment', async () => {
    const [one, two] = makeHosts(openMemoryStore())
    const made = await Promise.all([one.pool(), two.pool(), one.pool(), two.pool()])
    expect(new Set(made.map(({ Pool }) => Pool.split('.')[2])).size).toBe(4)
  })

  it('never share a number between two names, whatever they ask for and release', async () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const options: fc.Arbitrary<PoolOptions> = fc.record(
      { tenant: name, segment: name },
      { requiredKeys: [] },
    )
    const step = fc.record({ host: fc.nat(1), options, release: fc.boolean(), atOnce: fc.boolean() })
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const directory = openMemoryStore()
      const hosts = makeHosts(directory)
      const running: Promise<unknown>[] = []
      for (const { host, options: wish, release, atOnce } of steps) {
        const ipam = hosts[host] ?? hosts[0]
        const made = ipam.pool(wish).then(({ PoolID }) => (release ? ipam.releasePool(PoolID) : undefined))
        running.push(made)
        if (!atOnce) await Promise.allSettled(running)
      }
      const failures = (await Promise.allSettled(running)).flatMap((outcome) =>
        outcome.status === 'rejected' ? [String(outcome.reason)] : [],
      )
      expect(failures).toEqual([])
      await expectPairs(directory)
    })
    await fc.assert(property, { numRuns: 150 })
  })

  /** Every name has its number and every number its name. */
  async function expectPairs(directory: Store): Promise<void> {
    const { entries } = await directory.list('/segments/')
    const bySegment = entries.map(({ key, value }) => {
      const { tenant, number } = JSON.parse(value)
      return `/segment-numbers/${tenant}/${number}=${key.split('/').at(-1)}`
    })
    const { entries: numbers } = await directory.list('/segment-numbers/')
    expect(bySegment.toSorted()).toEqual(numbers.map(({ key, value }) => `${key}=${value}`).toSorted())
    const { entries: tenants } = await directory.list('/tenants/')
    const byTenant = tenants.map(({ key, value }) => `${JSON.parse(value).number}=${key.split('/').at(-1)}`)
    expect(byTenant.toSorted()).toEqual((await numbersOf(directory, '/tenant-numbers/')).map(swap).toSorted())
  }

  function swap(text: string): string {
    return text.split('=').toReversed().join('=')
  }
})
