import { describe, expect, it } from 'vitest'
import { keysOf, makeIpam, type PoolOptions } from './ipam-steps.ts'

/** @param usual what --subnet may say. */
function remedy(usual: string): string {
  return `Leave out --subnet, or write --subnet ${usual}: tenant and segment say which addresses a network has (E_SUBNET)`
}

/** @param option what was typed that cannot be. @param own what the network has without it. */
function withoutOptions(option: string, own: string): string {
  return `Leave out ${option}, and the network has ${own}, in a segment of its own; or name its segment with --ipam-opt tenant=NAME --ipam-opt segment=NAME (E_SUBNET)`
}

describe('--subnet', () => {
  it('may say what the segment has anyway', async () => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    const { PoolID } = await ipam.pool({ tenant: 'blue', segment: 'web', subnet: '10.1.17.0/24' })
    expect(PoolID).toBe('10.1.17.0/24,blue,web')
  })

  it('names an existing segment by its numbers', async () => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    expect((await ipam.pool({ subnet: '10.1.17.0/24' })).PoolID).toBe('10.1.17.0/24,blue,web')
  })

  it('may have bits behind its prefix, as engines before 25.0 send it', async () => {
    const ipam = makeIpam()
    const { Pool } = await ipam.pool({ tenant: 'blue', subnet: '10.1.17.5/24' })
    expect(Pool).toBe('10.1.17.0/24')
  })

  it('gives a new tenant and segment the numbers that its bits say', async () => {
    const ipam = makeIpam()
    expect((await ipam.pool({ tenant: 'blue', segment: 'web', subnet: '10.1.53.0/24' })).PoolID).toBe(
      '10.1.53.0/24,blue,web',
    )
    expect((await ipam.pool({ tenant: 'blue', segment: 'db' })).PoolID).toBe('10.1.49.0/24,blue,db')
  })

  it.each<[string, string, string]>([
    [
      'of another host',
      '10.2.17.0/24',
      `Cannot use the subnet "10.2.17.0/24": its bits say host 2, and this is host 1. ${remedy('10.1.17.0/24')}`,
    ],
    [
      'of another length',
      '10.1.17.0/25',
      `Cannot use the subnet "10.1.17.0/25": a cell of the plan 10.0.0.0/8 is a /24. ${remedy('10.1.17.0/24')}`,
    ],
    [
      'outside the plan',
      '192.168.0.0/24',
      'Cannot use the subnet "192.168.0.0/24": it lies outside the plan 10.0.0.0/8. ' +
        withoutOptions('--subnet', '10.1.33.0/24'),
    ],
    [
      'of a segment that nobody made',
      '10.1.18.0/24',
      'Cannot use the subnet "10.1.18.0/24": no segment has tenant number 1 and segment number 2. ' +
        withoutOptions('--subnet', '10.1.33.0/24'),
    ],
    ['that is none', 'mine', 'Cannot read the network "mine"'],
    ['of IPv6', 'fd00::/64', 'Cannot use the subnet "fd00::/64": it lies outside the plan 10.0.0.0/8'],
  ])('%s is refused', async (_what, subnet, message) => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    const before = await keysOf(ipam.directory)
    await expect(ipam.pool({ subnet })).rejects.toThrow(message)
    expect(await keysOf(ipam.directory)).toBe(before)
  })

  it.each<[string, PoolOptions, string]>([
    [
      'with the name of a segment that has another cell',
      { tenant: 'blue', segment: 'web', subnet: '10.1.18.0/24' },
      `Cannot use the subnet "10.1.18.0/24": segment "web" of tenant "blue" has 10.1.17.0/24 on this host. ${remedy('10.1.17.0/24')}`,
    ],
    [
      'with a new name for the number of another segment',
      { tenant: 'blue', segment: 'db', subnet: '10.1.17.0/24' },
      `Cannot use the subnet "10.1.17.0/24": segment number 1 of tenant "blue" belongs to "web". ${remedy('10.1.18.0/24')}`,
    ],
    [
      'with a new tenant for the number of another one',
      { tenant: 'green', subnet: '10.1.17.0/24' },
      `Cannot use the subnet "10.1.17.0/24": tenant number 1 of the plan belongs to "blue". ${remedy('10.1.33.0/24')}`,
    ],
    [
      'of another tenant number than that of the tenant',
      { tenant: 'blue', segment: 'db', subnet: '10.1.33.0/24' },
      `Cannot use the subnet "10.1.33.0/24": its bits say tenant 2, and tenant "blue" has number 1. ${remedy('10.1.18.0/24')}`,
    ],
    [
      'outside the plan for a segment that is there',
      { tenant: 'blue', segment: 'web', subnet: '192.168.0.0/24' },
      `Cannot use the subnet "192.168.0.0/24": it lies outside the plan 10.0.0.0/8. ${remedy('10.1.17.0/24')}`,
    ],
    [
      'of another host for a tenant that is new',
      { tenant: 'green', subnet: '10.2.33.0/24' },
      `Cannot use the subnet "10.2.33.0/24": its bits say host 2, and this is host 1. ${remedy('10.1.33.0/24')}`,
    ],
  ])('%s is refused', async (_what, options, message) => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    await expect(ipam.pool(options)).rejects.toThrow(message)
  })

  it.each([
    ['tenant', '10.1.1.0/24'],
    ['segment', '10.1.16.0/24'],
  ])('whose bits say %s 0 is refused before anything is recorded', async (field, subnet) => {
    const ipam = makeIpam()
    await expect(ipam.pool({ tenant: 'blue', subnet })).rejects.toThrow(
      `Cannot use the subnet "${subnet}": its bits say ${field} 0, and numbers of ${field}s begin at 1. ${remedy('10.1.17.0/24')}`,
    )
    expect(await keysOf(ipam.directory)).toBe('')
  })
})

/** @param usual where a range may lie. */
function inside(usual: string): string {
  return `Leave out --ip-range, or choose it inside --subnet ${usual}: tenant and segment say which addresses a network has (E_SUBNET)`
}

describe('--ip-range', () => {
  it('is part of the pool id, and addresses come from it', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool({ tenant: 'blue', subnet: '10.1.17.0/24', range: '10.1.17.128/30' })
    expect(PoolID).toBe('10.1.17.0/24,blue,default,10.1.17.128/30')
    const given: string[] = []
    for (let n = 0; n < 4; n += 1) given.push(await ipam.address(PoolID))
    expect(given.join(' ')).toBe('10.1.17.128/32 10.1.17.129/32 10.1.17.130/32 10.1.17.131/32')
    await expect(ipam.address(PoolID)).rejects.toThrow(
      'Cannot give out an address of segment "default" of tenant "blue": all 4 endpoint addresses of 10.1.17.128/30 are taken. Remove containers, or use another segment (E_POOL_FULL)',
    )
  })

  it('does not bind an address that is asked for by name', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool({ tenant: 'blue', subnet: '10.1.17.0/24', range: '10.1.17.128/30' })
    expect(await ipam.address(PoolID, '10.1.17.9')).toBe('10.1.17.9/32')
  })

  it.each([
    ['10.1.17.0/30', 'network and gateway', '10.1.17.2 10.1.17.3'],
    ['10.1.17.252/30', 'the last address', '10.1.17.252 10.1.17.253 10.1.17.254'],
  ])('%s still leaves out %s', async (range, _what, usable) => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool({ tenant: 'blue', subnet: '10.1.17.0/24', range })
    const given: string[] = []
    for (const _ of usable.split(' ')) given.push((await ipam.address(PoolID)).replace('/32', ''))
    expect(given.join(' ')).toBe(usable)
    await expect(ipam.address(PoolID)).rejects.toThrow('(E_POOL_FULL)')
  })

  it('that holds nothing but the gateway is full at once', async () => {
    const ipam = makeIpam()
    const { PoolID } = await ipam.pool({ tenant: 'blue', subnet: '10.1.17.0/24', range: '10.1.17.1/32' })
    await expect(ipam.address(PoolID)).rejects.toThrow('all 0 endpoint addresses of 10.1.17.1/32 are taken')
  })

  it.each<[PoolOptions, string]>([
    [
      { tenant: 'blue', range: '10.1.17.128/25' },
      `Cannot use the range "10.1.17.128/25": an --ip-range must lie in the --subnet. ${inside('10.1.17.0/24')}`,
    ],
    [
      { tenant: 'green', range: '10.1.17.128/25' },
      `Cannot use the range "10.1.17.128/25": an --ip-range must lie in the --subnet. ${inside('10.1.33.0/24')}`,
    ],
    [
      { range: '10.1.33.128/25' },
      `Cannot use the range "10.1.33.128/25": an --ip-range must lie in the --subnet. ${withoutOptions('--ip-range', '10.1.33.0/24')}`,
    ],
    [
      { subnet: '10.1.17.0/24', range: '10.1.18.0/25' },
      `Cannot use the range "10.1.18.0/25": an --ip-range must lie in the --subnet 10.1.17.0/24. ${inside('10.1.17.0/24')}`,
    ],
    [
      { tenant: 'blue', subnet: '10.1.17.0/24', range: '10.1.18.0/25' },
      `Cannot use the range "10.1.18.0/25": an --ip-range must lie in the --subnet 10.1.17.0/24. ${inside('10.1.17.0/24')}`,
    ],
    [
      { tenant: 'blue', subnet: '10.1.17.0/24', range: '10.1.16.0/23' },
      `Cannot use the range "10.1.16.0/23": an --ip-range must lie in the --subnet 10.1.17.0/24. ${inside('10.1.17.0/24')}`,
    ],
  ])('of %j is refused', async (options, message) => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue' })
    const before = await keysOf(ipam.directory)
    await expect(ipam.pool(options)).rejects.toThrow(message)
    expect(await keysOf(ipam.directory)).toBe(before)
  })
})
