import { beforeEach, describe, expect, it } from 'vitest'
import { parseName } from '../../ipam-driver/names.ts'
import { addSegment, removeSegment } from '../../ipam-driver/segments.ts'
import { addTenant, listTenants, removeTenant } from '../../ipam-driver/tenants.ts'
import { formatRecord } from '../../store/records.ts'
import { expectSound, holdsOf, numbersOf, segmentsOf } from './directory-steps.ts'
import { type Ipam, keysOf, makeIpam } from './ipam-steps.ts'

const BLUE = parseName('tenant', 'blue')
const GREEN = parseName('tenant', 'green')
const WEB = parseName('segment', 'web')
const DB = parseName('segment', 'db')

let ipam: Ipam
beforeEach(() => {
  ipam = makeIpam()
})

/** "fulfilled rejected" */
async function outcomesOf(tasks: readonly Promise<unknown>[]): Promise<string> {
  return (await Promise.allSettled(tasks)).map(({ status }) => status).join(' ')
}

describe('a tenant', () => {
  it('has the lowest free number, and keeps it', async () => {
    const { segments } = ipam.driver
    expect(await addTenant(segments, GREEN)).toEqual({ name: 'green', number: 1 })
    expect(await addTenant(segments, BLUE)).toEqual({ name: 'blue', number: 2 })
    expect((await ipam.pool({ tenant: 'blue' })).Pool).toBe('10.1.33.0/24')
    expect((await listTenants(ipam.directory)).map(({ name }) => name).join(' ')).toBe('green blue')
  })

  it('is made once by two at the same moment', async () => {
    const other = makeIpam({ directory: ipam.directory, host: 2n })
    const made = [ipam, other].map(({ driver }) => addTenant(driver.segments, BLUE))
    expect(await outcomesOf(made)).toBe('fulfilled rejected')
    expect(await numbersOf(ipam.directory, '/tenant-numbers/')).toBe('1 blue')
  })

  it('that is removed gives its number back, and forgets those of its segments', async () => {
    const { segments, directory } = { ...ipam.driver, ...ipam }
    await addSegment(segments, BLUE, WEB)
    await removeSegment(directory, BLUE, WEB)
    expect(await numbersOf(directory, '/segment-numbers/blue/')).toBe('1 web resting')
    await removeTenant(directory, BLUE)
    expect(await keysOf(directory)).toBe('/tenant-numbers/1')
    expect(await numbersOf(directory, '/tenant-numbers/')).toBe('1 blue resting')
    expect((await ipam.pool({ tenant: 'green' })).Pool).toBe('10.1.33.0/24')
  })

  it('forgets more numbers than one transaction can hold', async () => {
    await addTenant(ipam.driver.segments, BLUE)
    for (let number = 1; number <= 300; number += 1) {
      const key = `/segment-numbers/blue/${number}`
      const value = formatRecord({ number, name: `s${number}`, resting: true })
      await ipam.directory.commit([{ kind: 'put', key, value }])
    }
    await removeTenant(ipam.directory, BLUE)
    expect(await keysOf(ipam.directory)).toBe('/tenant-numbers/1')
  })

  it('with segments is not removed', async () => {
    for (const segment of [WEB, DB]) await addSegment(ipam.driver.segments, BLUE, segment)
    await expect(removeTenant(ipam.directory, BLUE)).rejects.toThrow(
      'Cannot remove tenant "blue": it has segments: db, web. Remove each of them first, as in: romana segment remove blue db (E_SEGMENT_IN_USE)',
    )
    await expectSound(ipam.directory, [])
  })

  it('is either removed or gets a segment, when both are asked for at the same moment', async () => {
    await addTenant(ipam.driver.segments, BLUE)
    await outcomesOf([
      removeTenant(ipam.directory, BLUE),
      ipam.pool({ tenant: 'blue', segment: 'web' }),
      removeTenant(ipam.directory, BLUE),
    ])
    await expectSound(ipam.directory, [ipam])
    expect(await segmentsOf(ipam.directory)).toMatch(/^blue\/web=/)
  })
})

describe('a segment', () => {
  it('is not removed while a host has a pool in it', async () => {
    const other = makeIpam({ directory: ipam.directory, host: 2n })
    await ipam.directory.commit([
      {
        kind: 'put',
        key: '/hosts/2',
        value: formatRecord({ number: 2, machineId: 'any', name: 'two.example' }),
      },
    ])
    const wish = { tenant: 'blue', segment: 'web' }
    const ids = [await ipam.pool(wish), await ipam.pool(wish), await other.pool(wish)].map(
      (pool) => pool.PoolID,
    )
    await ipam.releasePool(ids[0] ?? '')
    await expect(removeSegment(ipam.directory, BLUE, WEB)).rejects.toThrow(
      'Cannot remove segment "web" of tenant "blue": it has networks on host 1 (unknown), host 2 (two.example). Remove them there first, with docker network rm (E_SEGMENT_IN_USE)',
    )
    await ipam.releasePool(ids[1] ?? '')
    await expect(removeSegment(ipam.directory, BLUE, WEB)).rejects.toThrow(
      'it has networks on host 2 (two.example)',
    )
    await other.releasePool(ids[2] ?? '')
    await removeSegment(ipam.directory, BLUE, WEB)
    expect(await segmentsOf(ipam.directory)).toBe('')
  })

  it.each([0, 1, 2, 3])(
    'is removed or held, never both, when both are asked for at once (%i)',
    async (head) => {
      await addSegment(ipam.driver.segments, BLUE, WEB)
      const ask = async () => {
        // The pool's request has a head start of some turns of the event loop.
        const pool = ipam.pool({ tenant: 'blue', segment: 'web' })
        for (let turn = 0; turn < head * 3; turn += 1) await Promise.resolve()
        return [pool, removeSegment(ipam.directory, BLUE, WEB)]
      }
      await outcomesOf(await ask())
      await expectSound(ipam.directory, [ipam])
      expect(await holdsOf(ipam.directory)).toBe('blue/web@1')
    },
  )

  it('may not take a name of those made for networks', async () => {
    await expect(ipam.pool({ segment: 'auto-7' })).rejects.toThrow(
      'Cannot make a segment of the name "auto-7": such names are for the segments of networks without options. Choose a name that does not read "auto-" and a number (E_NAME)',
    )
    expect((await ipam.pool({ segment: 'auto-seven' })).PoolID).toBe('10.1.17.0/24,default,auto-seven')
    expect((await ipam.pool()).PoolID).toBe('10.1.18.0/24,default,auto-2')
  })
})

describe('with ROMANA_CREATE_SEGMENTS=off', () => {
  beforeEach(() => {
    ipam = makeIpam({ mayCreate: false })
  })

  it('a network makes no segment that it names, nor the tenant', async () => {
    await expect(ipam.pool({ tenant: 'blue', segment: 'web' })).rejects.toThrow(
      'Cannot use segment "web" of tenant "blue": there is none, and ROMANA_CREATE_SEGMENTS=off keeps networks from making it. Check the names or, as root: romana segment add blue web (E_SEGMENT_UNKNOWN)',
    )
    await expect(ipam.pool({ tenant: 'blue', subnet: '10.1.17.0/24' })).rejects.toThrow('(E_SEGMENT_UNKNOWN)')
    expect(await keysOf(ipam.directory)).toBe('')
  })

  it('a network has what was added before', async () => {
    await addSegment(ipam.driver.segments, BLUE, WEB)
    expect((await ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID).toBe('10.1.17.0/24,blue,web')
    expect((await ipam.pool({ subnet: '10.1.17.0/24' })).PoolID).toBe('10.1.17.0/24,blue,web')
  })

  it('a network without options still has a segment of its own', async () => {
    expect((await ipam.pool()).PoolID).toBe('10.1.17.0/24,default,auto-1')
  })
})
