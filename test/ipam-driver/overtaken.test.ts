/** Two hosts write the same records of the directory, and one comes between another's reading and writing. */
import { beforeEach, describe, expect, it } from 'vitest'
import { parseName } from '../../ipam-driver/names.ts'
import { addSegment, removeSegment } from '../../ipam-driver/segments.ts'
import { addTenant, removeTenant } from '../../ipam-driver/tenants.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { expectSound, holdsOf, numbersOf, overtaken, segmentsOf } from './directory-steps.ts'
import { type Ipam, makeIpam } from './ipam-steps.ts'

const BLUE = parseName('tenant', 'blue')
const WEB = parseName('segment', 'web')
const WISH = { tenant: 'blue', segment: 'web' }

let directory: Store
let other: Ipam
beforeEach(() => {
  directory = openMemoryStore()
  other = makeIpam({ directory, host: 2n })
})

/** Host 1, overtaken at its first write. */
function makeSlow(task: () => Promise<unknown>): Ipam {
  return makeIpam({ directory: overtaken(directory, task) })
}

describe('who removes a tenant', () => {
  it('is refused when it gets a segment meanwhile', async () => {
    await addTenant(other.driver.segments, BLUE)
    const slow = overtaken(directory, () => other.pool(WISH))
    await expect(removeTenant(slow, BLUE)).rejects.toThrow('it has segments: web')
    await expectSound(directory, [other])
  })

  it('is told so when somebody else has removed it meanwhile', async () => {
    await addTenant(other.driver.segments, BLUE)
    const slow = overtaken(directory, () => removeTenant(directory, BLUE))
    await expect(removeTenant(slow, BLUE)).rejects.toThrow('(E_SEGMENT_UNKNOWN)')
    expect(await numbersOf(directory, '/tenant-numbers/')).toBe('1 blue resting')
  })
})

describe('who makes a tenant', () => {
  it('does not get the resting number that somebody else takes meanwhile', async () => {
    const plan = '10.0.0.0/8 8/1/7/8'
    const { segments } = makeIpam({ directory, plan }).driver
    await addTenant(segments, BLUE)
    await removeTenant(directory, BLUE)
    const slow = makeIpam({ directory: overtaken(directory, () => addTenant(segments, BLUE)), plan })
    await expect(addTenant(slow.driver.segments, parseName('tenant', 'green'))).rejects.toThrow(
      'all 1 tenant numbers of the plan are taken',
    )
    await expectSound(directory, [])
  })
})

describe('who removes a segment', () => {
  it('is refused when a host takes a pool in it meanwhile', async () => {
    await addSegment(other.driver.segments, BLUE, WEB)
    const slow = overtaken(directory, () => other.pool(WISH))
    await expect(removeSegment(slow, BLUE, WEB)).rejects.toThrow('it has networks on host 2')
    await expectSound(directory, [other])
  })
})

describe('who takes a pool', () => {
  it('makes the segment anew when it is removed meanwhile', async () => {
    await addSegment(other.driver.segments, BLUE, WEB)
    const slow = makeSlow(() => removeSegment(directory, BLUE, WEB))
    expect((await slow.pool(WISH)).PoolID).toBe('10.1.18.0/24,blue,web')
    await expectSound(directory, [slow])
  })

  it('makes the tenant anew when it is removed meanwhile', async () => {
    await addTenant(other.driver.segments, BLUE)
    const slow = makeSlow(() => removeTenant(directory, BLUE))
    expect((await slow.pool(WISH)).PoolID).toBe('10.1.33.0/24,blue,web')
    await expectSound(directory, [slow])
  })

  it('has the segment that somebody else makes meanwhile', async () => {
    await addTenant(other.driver.segments, BLUE)
    const slow = makeSlow(() => other.pool(WISH))
    expect((await slow.pool(WISH)).PoolID).toBe('10.1.17.0/24,blue,web')
    await expectSound(directory, [slow, other])
    expect(await holdsOf(directory)).toBe('blue/web@1 blue/web@2')
  })

  it('gets another number when somebody else takes the free one meanwhile', async () => {
    await addTenant(other.driver.segments, BLUE)
    const slow = makeSlow(() => other.pool({ tenant: 'blue', segment: 'db' }))
    expect((await slow.pool(WISH)).PoolID).toBe('10.1.18.0/24,blue,web')
    await expectSound(directory, [slow, other])
  })

  it('gets another number when somebody else takes the resting one meanwhile', async () => {
    const plan = '10.0.0.0/8 8/4/2/10'
    const fast = makeIpam({ directory, plan, host: 2n })
    const ids = [await fast.pool(), await fast.pool(), await fast.pool()].map(({ PoolID }) => PoolID)
    await fast.releasePool(ids[1] ?? '')
    await fast.releasePool(ids[0] ?? '')
    const slow = makeIpam({ directory: overtaken(directory, () => fast.pool()), plan })
    expect((await slow.pool()).PoolID).toMatch(/,auto-1$/)
    await expectSound(directory, [slow, fast])
  })

  it('gives up when somebody else is always faster', async () => {
    const losing: Store = { ...overtaken(directory, async () => undefined), commit: loseAlways }
    await expect(makeIpam({ directory: losing }).pool(WISH)).rejects.toThrow(
      'Cannot use segment "web" of tenant "blue": other writers came first 300 times. Try again (E_CONFLICT)',
    )
  })

  async function loseAlways() {
    return { committed: false as const, conflicts: [] }
  }
})

describe('who leaves an automatic segment', () => {
  it('leaves it to the host that is still in it', async () => {
    const { PoolID } = await other.pool()
    const one = makeIpam({ directory })
    await one.releasePool((await one.pool({ segment: 'auto-1' })).PoolID)
    await expectSound(directory, [one, other])
    await other.releasePool(PoolID)
    expect(await segmentsOf(directory)).toBe('')
  })

  it('removes it when the other host leaves meanwhile', async () => {
    const { PoolID } = await other.pool()
    const slow = makeIpam({ directory })
    const mine = (await slow.pool({ segment: 'auto-1' })).PoolID
    const leaving = makeIpam({
      directory: overtaken(directory, () => other.releasePool(PoolID)),
      journal: slow.journal,
    })
    await leaving.releasePool(mine)
    expect(await segmentsOf(directory)).toBe('')
    await expectSound(directory, [leaving, other])
  })

  it('leaves it when another host takes a pool in it meanwhile', async () => {
    const slow = makeIpam({ directory })
    const { PoolID } = await slow.pool()
    const leaving = makeIpam({
      directory: overtaken(directory, () => other.pool({ segment: 'auto-1' })),
      journal: slow.journal,
    })
    await leaving.releasePool(PoolID)
    await expectSound(directory, [leaving, other])
  })
})
