import { beforeEach, describe, expect, it } from 'vitest'
import { type Ipam, makeIpam } from './ipam-steps.ts'

/** Cells of eight addresses: .2 to .6 are given out. */
const SMALL_PLAN = '10.0.0.0/8 8/8/5/3'

describe('an address that was given back', () => {
  const clock = { ms: 0 }
  let ipam: Ipam
  let poolId: string

  beforeEach(async () => {
    clock.ms = 0
    ipam = makeIpam({ plan: SMALL_PLAN, nowMs: () => clock.ms })
    poolId = (await ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID
  })

  it('is passed over for a minute, also when its turn comes', async () => {
    const first = await ipam.address(poolId)
    await ipam.release(first.replace('/32', ''))
    const given = [
      await ipam.address(poolId),
      await ipam.address(poolId),
      await ipam.address(poolId),
      await ipam.address(poolId),
    ]
    expect(given).not.toContain(first)
    await ipam.release(String(given[0]).replace('/32', ''))
    clock.ms = 60_000
    expect(await ipam.address(poolId)).toBe(first)
  })

  it('is given out before its rest is over when there is no other, the one first given back first', async () => {
    const all: string[] = []
    for (let count = 0; count < 5; count += 1) all.push(await ipam.address(poolId))
    for (const index of [3, 1, 4]) await ipam.release(String(all[index]).replace('/32', ''))
    expect(await ipam.address(poolId)).toBe(all[3])
    expect(await ipam.address(poolId)).toBe(all[1])
    expect(await ipam.address(poolId)).toBe(all[4])
    await expect(ipam.address(poolId)).rejects.toThrow('all 5 endpoint addresses of 10.1.1.8/29 are taken')
  })

  it('may be asked for by name at once', async () => {
    const first = (await ipam.address(poolId)).replace('/32', '')
    await ipam.release(first)
    expect(await ipam.address(poolId, first)).toBe(`${first}/32`)
  })

  it('rests over a restart of the plugin, from then on', async () => {
    const first = await ipam.address(poolId)
    await ipam.release(first.replace('/32', ''))
    clock.ms = 59_000
    const again = makeIpam({ ...ipam, plan: SMALL_PLAN, nowMs: () => clock.ms })
    for (let count = 0; count < 4; count += 1) await again.address(poolId)
    expect(await again.address(poolId)).toBe(first)
  })
})

describe('a reservation', () => {
  it('that no endpoint confirms is free after a minute', async () => {
    const clock = { ms: 0 }
    const ipam = makeIpam({ plan: SMALL_PLAN, nowMs: () => clock.ms })
    const { PoolID } = await ipam.pool({ tenant: 'blue', segment: 'web' })
    const all: string[] = []
    for (let count = 0; count < 5; count += 1) all.push(await ipam.address(PoolID))
    clock.ms = 59_999
    await expect(ipam.address(PoolID)).rejects.toThrow('are taken')
    clock.ms = 130_000
    expect(await ipam.address(PoolID)).toBe(all[0])
  })
})
