import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REST_MS } from '../../ipam-driver/addresses.ts'
import { parsePoolId } from '../../ipam-driver/pool-id.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { formatRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { Life, mortalStore } from '../network-driver/mortal.ts'
import { expectSound, holdsOf, numbersOf, segmentsOf } from './directory-steps.ts'
import { type Ipam, keysOf, makeIpam } from './ipam-steps.ts'

/** What the network driver records of a network, in the journal. */
async function putNetwork(journal: Store, networkId: string, poolId: string): Promise<void> {
  const { cell, tenant, segment } = parsePoolId(poolId)
  const gateway = String(cell.network)
  const value = formatRecord({ networkId, cell, tenant, segment, gateway, internal: false })
  await journal.commit([{ kind: 'put', key: `/networks/${networkId}`, value }])
}

/** What the network driver does, and the plugin behind it. */
async function removeNetwork(
  { journal, driver }: Pick<Ipam, 'journal' | 'driver'>,
  networkId: string,
): Promise<void> {
  await journal.commit([{ kind: 'remove', key: `/networks/${networkId}` }])
  await driver.forgetUnusedPools()
}

/** Another start on these stores, of which some may be lost. */
async function startAgain(stores: { directory?: Store; journal?: Store }): Promise<Ipam> {
  const ipam = makeIpam(stores)
  expect(await ipam.driver.recover()).toEqual([])
  return ipam
}

describe('a start', () => {
  it('on sound stores changes nothing', async () => {
    const ipam = makeIpam()
    await putNetwork(ipam.journal, 'n1', (await ipam.pool()).PoolID)
    await ipam.pool({ tenant: 'blue' })
    const before = [await ipam.directory.list('/'), await ipam.journal.list('/')]
    await startAgain(ipam)
    expect([await ipam.directory.list('/'), await ipam.journal.list('/')]).toEqual(before)
  })

  it('drops what the directory has of pools that the journal does not know', async () => {
    const { directory, pool } = makeIpam()
    await pool()
    await pool({ tenant: 'blue' })
    const ipam = await startAgain({ directory })
    expect(await holdsOf(directory)).toBe('')
    expect(await segmentsOf(directory)).toBe('blue/default=2.1')
    await expectSound(directory, [ipam])
  })

  it('leaves alone what other hosts have', async () => {
    const { directory, pool } = makeIpam({ host: 2n })
    await pool()
    await startAgain({ directory })
    expect(await holdsOf(directory)).toBe('default/auto-1@2')
  })

  it('brings a lost directory the segments of its pools, with their numbers', async () => {
    const ipam = makeIpam()
    const ids = [
      await ipam.pool({ tenant: 'blue', segment: 'web', subnet: '10.1.53.0/24' }),
      await ipam.pool(),
      await ipam.pool(),
    ].map(({ PoolID }) => PoolID)
    await ipam.releasePool(ids[1] ?? '')
    const again = await startAgain({ journal: ipam.journal })
    expect(await segmentsOf(again.directory)).toBe('blue/web=3.5 default/auto-2=1.2')
    await expectSound(again.directory, [again])
    await again.releasePool(ids[2] ?? '')
    expect(await segmentsOf(again.directory)).toBe('blue/web=3.5')
  })

  it('takes a number back that rests in an older directory', async () => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    const value = formatRecord({ number: 1, name: 'someone', resting: true })
    const directory = openMemoryStore()
    await directory.commit([{ kind: 'put', key: '/tenant-numbers/1', value }])
    await startAgain({ directory, journal: ipam.journal })
    expect(await numbersOf(directory, '/tenant-numbers/')).toBe('1 blue')
  })

  it('says which pool has the numbers of somebody else by now, and goes on', async () => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    await ipam.pool({ tenant: 'blue', segment: 'db' })
    const other = makeIpam({ host: 2n })
    await other.pool({ tenant: 'blue', segment: 'shop' })
    const again = makeIpam({ directory: other.directory, journal: ipam.journal })
    expect(await again.driver.recover()).toEqual([
      'Cannot use the subnet "10.1.17.0/24": segment number 1 of tenant "blue" belongs to "shop" (E_SUBNET)',
    ])
    expect(await holdsOf(other.directory)).toBe('blue/db@1 blue/shop@2')
  })
})

describe('a lost journal', () => {
  it('gets back the pools of networks that this host holds, counted', async () => {
    const { directory, pool } = makeIpam()
    const { PoolID } = await pool()
    const journal = openMemoryStore()
    for (const id of ['n1', 'n2']) await putNetwork(journal, id, PoolID)
    const ipam = await startAgain({ directory, journal })
    await expectSound(directory, [ipam])
    await ipam.releasePool(PoolID)
    await removeNetwork(ipam, 'n1')
    expect(await segmentsOf(directory)).toBe('default/auto-1=1.1')
    await ipam.releasePool(PoolID)
    await removeNetwork(ipam, 'n2')
    expect(await segmentsOf(directory)).toBe('')
  })

  it('is not what a network is whose pool is gone and whose segment this host does not hold', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool()
    await ipam.releasePool(PoolID)
    await putNetwork(ipam.journal, 'n1', PoolID)
    await startAgain(ipam)
    expect(await keysOf(ipam.journal, '/pools/')).toBe('')
    expect(await segmentsOf(ipam.directory)).toBe('')
  })
})

describe('a pool without a network', () => {
  it('is forgotten with the first request a minute later, a pool with one is not', async () => {
    const clock = { ms: 0 }
    const ipam = makeIpam({ nowMs: () => clock.ms })
    await ipam.pool()
    await ipam.pool({ tenant: 'blue' })
    await putNetwork(ipam.journal, 'n1', (await ipam.pool({ tenant: 'green' })).PoolID)
    clock.ms = REST_MS - 1
    await ipam.driver.forgetUnusedPools()
    expect(await holdsOf(ipam.directory)).toBe('blue/default@1 default/auto-1@1 green/default@1')
    clock.ms = REST_MS
    await ipam.driver.forgetUnusedPools()
    expect(await holdsOf(ipam.directory)).toBe('green/default@1')
    expect(await segmentsOf(ipam.directory)).toBe('blue/default=2.1 green/default=3.1')
    await expectSound(ipam.directory, [ipam])
  })

  it('uses up no number for longer than that', async () => {
    const clock = { ms: 0 }
    const ipam = makeIpam({ nowMs: () => clock.ms })
    for (let pool = 0; pool < 15; pool += 1) await ipam.pool()
    await expect(ipam.pool()).rejects.toThrow('(E_TENANTS_FULL)')
    clock.ms = REST_MS
    expect((await ipam.pool()).PoolID).toBe('10.1.17.0/24,default,auto-1')
  })
})

describe('whatever is killed and whenever', () => {
  interface Step {
    readonly what: 'make' | 'remove'
    readonly which: number
    /** How often the engine says that a pool is released. */
    readonly times: number
    readonly writes: number | null
  }

  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom('make', 'remove'),
    which: fc.nat(3),
    times: fc.integer({ min: 1, max: 3 }),
    writes: fc.option(fc.nat(7)),
  })

  /** A plugin that is killed behind so many writes of a call and started again, and an engine that goes on. */
  class Killable {
    readonly directory = openMemoryStore()
    readonly journal = openMemoryStore()
    readonly networks: string[] = []
    nowMs = 0
    life = new Life()
    ipam = this.start()

    start(): Ipam {
      this.life = new Life()
      const directory = mortalStore(this.directory, this.life)
      const journal = mortalStore(this.journal, this.life)
      return makeIpam({ directory, journal, nowMs: () => this.nowMs })
    }

    /** Undefined: the plugin was killed before it answered. */
    async call<T>(writes: number | null, task: (ipam: Ipam) => Promise<T>): Promise<T | undefined> {
      if (writes !== null) this.life.endAfter(writes)
      const answer = await Promise.race([task(this.ipam), this.life.over])
      if (writes === null) return answer
      this.life.end()
      this.ipam = this.start()
      expect(await this.ipam.driver.recover()).toEqual([])
      return answer
    }

    async take({ what, which, times, writes }: Step): Promise<void> {
      if (what === 'make') {
        const options = which === 0 ? {} : { tenant: 'blue', segment: `s${which}` }
        const pool = await this.call(writes, (ipam) => ipam.pool(options))
        if (pool === undefined) return
        await putNetwork(this.journal, `n${this.networks.length}`, pool.PoolID)
        this.networks.push(pool.PoolID)
        return
      }
      const index = this.networks.findIndex((poolId, at) => at >= which && poolId !== '')
      const poolId = this.networks[index]
      if (poolId === undefined) return
      for (let time = 0; time < times; time += 1) await this.call(writes, (ipam) => ipam.releasePool(poolId))
      await this.expectPools()
      this.networks[index] = ''
      await this.call(writes, ({ driver }) => removeNetwork({ journal: this.journal, driver }, `n${index}`))
    }

    /** Each network has its pool. */
    async expectPools(): Promise<void> {
      expect((await keysOf(this.journal, '/pools/')).split(' ')).toEqual(expect.arrayContaining(this.pools()))
    }

    /** The keys of the pools of all networks. */
    pools(): string[] {
      const cells = this.networks
        .filter((poolId) => poolId !== '')
        .map((id) => `/pools/${parsePoolId(id).cell}`)
      return [...new Set(cells)].toSorted()
    }
  }

  it('a minute later each network has its pool and its segment, and nothing else has', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const plugin = new Killable()
      for (const taken of steps) {
        await plugin.take(taken)
        await plugin.expectPools()
      }
      await plugin.call(null, (ipam) => ipam.driver.forgetUnusedPools())
      plugin.nowMs += REST_MS
      await plugin.call(null, (ipam) => ipam.driver.forgetUnusedPools())
      await expectSound(plugin.directory, [plugin.ipam])
      expect(await keysOf(plugin.journal, '/pools/')).toBe(plugin.pools().join(' '))
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
