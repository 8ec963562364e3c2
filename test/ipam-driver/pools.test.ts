import { describe, expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { overtaken } from './directory-steps.ts'
import { keysOf, makeIpam, type PoolOptions } from './ipam-steps.ts'

describe('a pool', () => {
  it('is the cell of its segment on this host, and brings its gateway along', async () => {
    expect(await makeIpam().pool({ tenant: 'blue', segment: 'web' })).toEqual({
      PoolID: '10.1.17.0/24,blue,web',
      Pool: '10.1.17.0/24',
      Data: { 'com.docker.network.gateway': '10.1.17.1/24' },
    })
  })

  it.each<[string, PoolOptions, string]>([
    ['tenant and segment', { tenant: 'blue', segment: 'web' }, '10.1.17.0/24,blue,web'],
    ['only a tenant: its segment "default"', { tenant: 'blue' }, '10.1.17.0/24,blue,default'],
    ['only a segment: of the tenant "default"', { segment: 'web' }, '10.1.17.0/24,default,web'],
    ['nothing: a segment of its own', {}, '10.1.17.0/24,default,auto-1'],
  ])('of a request that names %s', async (_what, options, poolId) => {
    expect((await makeIpam().pool(options)).PoolID).toBe(poolId)
  })

  it('lies on another host where the host bits say so', async () => {
    const { PoolID } = await makeIpam({ host: 7n }).pool({ tenant: 'blue', segment: 'web' })
    expect(PoolID).toBe('10.7.17.0/24,blue,web')
  })

  it('has the lowest free numbers, and each tenant counts its own segments', async () => {
    const ipam = makeIpam()
    const ids: string[] = []
    for (const [tenant, segment] of [
      ['blue', 'web'],
      ['blue', 'db'],
      ['green', 'web'],
      ['blue', 'web'],
    ] as const) {
      ids.push((await ipam.pool({ tenant, segment })).PoolID)
    }
    expect(ids.join(' ')).toBe(
      '10.1.17.0/24,blue,web 10.1.18.0/24,blue,db 10.1.33.0/24,green,web 10.1.17.0/24,blue,web',
    )
  })

  it('is held by as many networks as asked for it', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool({ tenant: 'blue' })
    await ipam.pool({ tenant: 'blue' })
    await ipam.releasePool(PoolID)
    expect(await keysOf(ipam.journal)).toBe('/pools/10.1.17.0/24')
    await ipam.releasePool(PoolID)
    expect(await keysOf(ipam.journal)).toBe('')
  })

  it('is held by all who ask for it at the same moment', async () => {
    const ipam = makeIpam()
    const pools = await Promise.all(Array.from({ length: 10 }, () => ipam.pool({ tenant: 'blue' })))
    const [last, ...others] = pools.map(({ PoolID }) => ipam.releasePool.bind(ipam, PoolID))
    await Promise.all(others.map((release) => release()))
    expect(await keysOf(ipam.journal)).toBe('/pools/10.1.17.0/24')
    await last?.()
    expect(await keysOf(ipam.journal)).toBe('')
  })

  it('leaves a named segment its number when it is released', async () => {
    const ipam = makeIpam()
    await ipam.releasePool((await ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID)
    expect((await ipam.pool({ tenant: 'blue', segment: 'db' })).PoolID).toBe('10.1.18.0/24,blue,db')
    expect((await ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID).toBe('10.1.17.0/24,blue,web')
  })

  it('may be released when nobody holds it', async () => {
    const ipam = makeIpam()
    expect(await ipam.releasePool('10.1.17.0/24,blue,web')).toEqual({})
    expect(await ipam.releasePool('10.1.17.0/24,blue,web')).toEqual({})
    expect(await keysOf(ipam.journal)).toBe('')
    expect(await keysOf(ipam.directory)).toBe('')
  })

  it('can be told by its id alone when the journal is lost', async () => {
    const { directory, pool } = makeIpam()
    const { PoolID } = await pool()
    const forgetful = makeIpam({ directory, journal: openMemoryStore() })
    expect(await forgetful.address(PoolID)).toBe('10.1.17.2/32')
    expect(await forgetful.address(PoolID)).toBe('10.1.17.3/32')
    await forgetful.releasePool(PoolID)
    expect(await keysOf(directory, '/segments/')).toBe('')
  })
})

describe('an automatic segment', () => {
  it('is another one for every network', async () => {
    const ipam = makeIpam()
    const ids = [await ipam.pool(), await ipam.pool(), await ipam.pool()].map(({ PoolID }) => PoolID)
    expect(ids.join(' ')).toBe(
      '10.1.17.0/24,default,auto-1 10.1.18.0/24,default,auto-2 10.1.19.0/24,default,auto-3',
    )
  })

  it('goes with its last pool', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool()
    await ipam.pool({ segment: 'auto-1' })
    await ipam.releasePool(PoolID)
    expect(await keysOf(ipam.directory, '/segments/')).toBe('/segments/default/auto-1')
    await ipam.releasePool(PoolID)
    expect(await keysOf(ipam.directory, '/segments/')).toBe('')
    expect(await keysOf(ipam.directory, '/segment-hosts/')).toBe('')
  })

  it('leaves a number that rests, and is taken again when all others rest too', async () => {
    const ipam = makeIpam()
    const cells: string[] = []
    for (let network = 0; network < 16; network += 1) {
      const { Pool, PoolID } = await ipam.pool()
      cells.push(Pool.replace(/^10\.1\.(\d+)\.0\/24$/, '$1'))
      await ipam.releasePool(PoolID)
    }
    expect(cells.join(' ')).toBe('17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 17')
  })

  it('passes over numbers that named segments have', async () => {
    const ipam = makeIpam()
    await ipam.pool()
    await ipam.pool({ segment: 'web' })
    expect((await ipam.pool()).PoolID).toBe('10.1.19.0/24,default,auto-3')
  })
})

describe('a pool is refused', () => {
  it.each<[string, PoolOptions, string]>([
    [
      'for a tenant name that begins with a dash',
      { tenant: '-blue' },
      'Cannot use "-blue" as the name of a tenant: a name must be 1 to 32 letters, digits, "_", "." and "-", and begin with a letter or digit (E_NAME)',
    ],
    ['for a segment name with a comma', { segment: 'a,b' }, 'Cannot use "a,b" as the name of a segment'],
    ['for a name with a slash', { tenant: 'a/b' }, 'Cannot use "a/b" as the name of a tenant'],
    ['for an empty name', { segment: '' }, 'Cannot use "" as the name of a segment'],
    ['for a name of 33 letters', { tenant: 'a'.repeat(33) }, 'as the name of a tenant'],
  ])('%s', async (_what, options, message) => {
    const ipam = makeIpam()
    await expect(ipam.pool(options)).rejects.toThrow(message)
    expect(await keysOf(ipam.directory)).toBe('')
  })

  const request = { AddressSpace: 'RomanaLocal', Pool: undefined, SubPool: undefined, Options: {}, V6: false }

  it('for an option that Romana does not know', async () => {
    const { driver } = makeIpam()
    await expect(driver.requestPool({ ...request, Options: { tennant: 'blue' } })).rejects.toThrow(
      'Cannot use the option "--ipam-opt tennant": Romana does not know it. The options are --ipam-opt tenant=NAME and --ipam-opt segment=NAME (E_OPTION)',
    )
  })

  it('over IPv6, while there is no plan for it', async () => {
    const { driver } = makeIpam()
    await expect(driver.requestPool({ ...request, V6: true })).rejects.toThrow(
      'Cannot make an IPv6 pool: this cluster has no IPv6 plan yet. The plugin makes one when it starts and the directory answers: enable it anew, or leave out --ipv6 (E_OPTION)',
    )
  })

  it('while this host uses addresses of the plan for something else', async () => {
    const overlap = new RomanaError('E_PLAN_OVERLAP', { cannot: 'use the plan', because: 'a LAN has it' })
    const ipam = makeIpam({ checkPlanIsFree: () => Promise.reject(overlap) })
    await expect(ipam.pool({ tenant: 'blue' })).rejects.toThrow(overlap)
    expect(await keysOf(ipam.directory)).toBe('')
  })
})

describe('while the directory does not answer', () => {
  it('a network waits, and containers get and give back addresses', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool()
    const silent: Store = { ...overtaken(ipam.directory, never), list: never, get: never }
    const cut = makeIpam({ directory: silent, journal: ipam.journal })
    const network = cut.pool({ tenant: 'blue' })
    expect(await cut.address(PoolID)).toBe('10.1.17.2/32')
    await cut.release('10.1.17.2')
    expect(await Promise.race([network, Promise.resolve('waits')])).toBe('waits')
  })

  function never(): Promise<never> {
    return new Promise(() => undefined)
  }
})
