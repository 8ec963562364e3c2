import { beforeEach, describe, expect, it } from 'vitest'
import { NUMBER_REST_MS } from '../../ipam-driver/field-numbers.ts'
import { parseName } from '../../ipam-driver/names.ts'
import { removeSegment } from '../../ipam-driver/segments.ts'
import { numbersOf } from './directory-steps.ts'
import { type Ipam, makeIpam } from './ipam-steps.ts'

/** Numbers 1 to 3 of tenants, and of segments in each. */
const FEW = '10.0.0.0/8 8/2/2/12'

const clock = { ms: 0 }
let ipam: Ipam
beforeEach(() => {
  clock.ms = 0
  ipam = start()
})

/** A plugin on what another one has left. */
function start(remains: Partial<Ipam> = {}, host = 1n): Ipam {
  const { directory, journal } = remains
  return makeIpam({
    plan: FEW,
    host,
    nowMs: () => clock.ms,
    ...(directory === undefined ? {} : { directory }),
    ...(journal === undefined ? {} : { journal }),
  })
}

/** Makes a network of an automatic segment, and removes it. */
async function comeAndGo(): Promise<string> {
  const { PoolID } = await ipam.pool()
  await ipam.releasePool(PoolID)
  return PoolID.replace(/.*,/, '')
}

describe('a number that was given back', () => {
  it('is passed over while there are others, and comes again when it has rested', async () => {
    expect(await comeAndGo()).toBe('auto-1')
    expect(await comeAndGo()).toBe('auto-2')
    clock.ms = NUMBER_REST_MS - 1
    expect(await comeAndGo()).toBe('auto-3')
    clock.ms = NUMBER_REST_MS
    expect(await comeAndGo()).toBe('auto-1')
  })

  it('is taken before its rest is over when there is no other, the one first given back first', async () => {
    const ids = [await ipam.pool(), await ipam.pool(), await ipam.pool()].map(({ PoolID }) => PoolID)
    for (const index of [2, 0, 1]) await ipam.releasePool(ids[index] ?? '')
    const again = [await ipam.pool(), await ipam.pool(), await ipam.pool()].map(({ PoolID }) => PoolID)
    expect(again).toEqual([ids[2], ids[0], ids[1]])
    await expect(ipam.pool()).rejects.toThrow('all 3 segment numbers of tenant "default" are taken')
  })

  it('rests for every host of the cluster, in the order in which all have given back', async () => {
    const other = start({ directory: ipam.directory }, 2n)
    const [one, two, three] = [await ipam.pool(), await other.pool(), await ipam.pool()]
    await other.releasePool(two.PoolID)
    await ipam.releasePool(one.PoolID)
    await ipam.releasePool(three.PoolID)
    const next = [await ipam.pool(), await other.pool(), await other.pool()]
    expect(next.map(({ PoolID }) => PoolID.replace(/.*,/, '')).join(' ')).toBe('auto-2 auto-1 auto-3')
  })

  it('rests over a restart of the plugin, from then on', async () => {
    await comeAndGo()
    clock.ms = 10 * NUMBER_REST_MS
    ipam = start(ipam)
    await ipam.driver.recover()
    expect(await comeAndGo()).toBe('auto-2')
    clock.ms = 11 * NUMBER_REST_MS
    expect(await comeAndGo()).toBe('auto-1')
  })

  it('rests from when this plugin first sees what another host gave back', async () => {
    const other = start({ directory: ipam.directory }, 2n)
    await other.releasePool((await other.pool()).PoolID)
    clock.ms = NUMBER_REST_MS
    expect(await comeAndGo()).toBe('auto-2')
    clock.ms = 2 * NUMBER_REST_MS
    expect(await comeAndGo()).toBe('auto-1')
  })
})

describe('--subnet', () => {
  const WEB = { tenant: 'default', segment: 'web', subnet: '10.1.80.0/20' }

  it('may not name a number that rests', async () => {
    await comeAndGo()
    await expect(ipam.pool(WEB)).rejects.toThrow(
      'Cannot use the subnet "10.1.80.0/20": segment number 1 of tenant "default" was given back by "auto-1" and rests for some minutes. Leave out --subnet, or write --subnet 10.1.96.0/20: tenant and segment say which addresses a network has (E_SUBNET)',
    )
    clock.ms = NUMBER_REST_MS
    expect((await ipam.pool(WEB)).PoolID).toBe('10.1.80.0/20,default,web')
  })

  it('may name a number that rests for the name that had it', async () => {
    const { directory } = ipam
    await ipam.releasePool((await ipam.pool(WEB)).PoolID)
    await removeSegment(directory, parseName('tenant', 'default'), parseName('segment', 'web'))
    expect(await numbersOf(directory, '/segment-numbers/default/')).toBe('1 web resting')
    expect((await ipam.pool(WEB)).Pool).toBe('10.1.80.0/20')
  })
})

describe('with 15 numbers of segments', () => {
  beforeEach(() => {
    ipam = makeIpam({ nowMs: () => clock.ms })
  })

  it('20 quick rounds of two networks never fail', async () => {
    for (let round = 0; round < 20; round += 1) {
      const pools = await Promise.all([ipam.pool(), ipam.pool()])
      expect(new Set(pools.map(({ Pool }) => Pool)).size).toBe(2)
      await Promise.all(pools.map(({ PoolID }) => ipam.releasePool(PoolID)))
      clock.ms += 100
    }
  })

  it('the 16th network is refused, and made when one of the 15 is gone', async () => {
    const ids: string[] = []
    for (let network = 0; network < 15; network += 1) ids.push((await ipam.pool()).PoolID)
    await expect(ipam.pool()).rejects.toThrow(
      'Cannot make another segment: all 15 segment numbers of tenant "default" are taken. Remove one that is not needed ("romana segment list" shows them; one that was made for a network goes with it, and a network that Docker has lost with "romana network remove"), or use a plan with more segment bits (E_TENANTS_FULL)',
    )
    await ipam.releasePool(ids[7] ?? '')
    expect((await ipam.pool()).PoolID).toBe(ids[7])
  })
})
