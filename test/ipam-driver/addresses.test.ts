import { describe, expect, it } from 'vitest'
import { parsePoolId } from '../../ipam-driver/pool-id.ts'
import { type Ipam, keysOf, makeIpam, takenAddresses } from './ipam-steps.ts'

/** Cells of a /30: network, gateway, one endpoint, last. */
const SMALLEST = { plan: '10.0.0.0/8 8/8/6/2' }
/** Cells of a /29: five endpoints. */
const SMALL = { plan: '10.0.0.0/8 8/8/5/3' }

async function makePool(wish = {}): Promise<{ ipam: Ipam; pool: string }> {
  const ipam = makeIpam(wish)
  return { ipam, pool: (await ipam.pool({ tenant: 'blue', segment: 'web' })).PoolID }
}

describe('an address', () => {
  it('is the next one behind the last given, in answer to each request', async () => {
    const { ipam, pool } = await makePool()
    const given = [await ipam.address(pool), await ipam.address(pool), await ipam.address(pool)]
    expect(given.join(' ')).toBe('10.1.17.2/32 10.1.17.3/32 10.1.17.4/32')
  })

  it('that was just released is not the next one', async () => {
    const { ipam, pool } = await makePool()
    await ipam.address(pool)
    await ipam.release('10.1.17.2')
    expect(await ipam.address(pool)).toBe('10.1.17.3/32')
  })

  it('rests over a restart of the driver too', async () => {
    const { ipam, pool } = await makePool()
    await ipam.address(pool)
    await ipam.release('10.1.17.2')
    expect(await makeIpam(ipam).address(pool)).toBe('10.1.17.3/32')
  })

  it('comes again when all others have had their turn', async () => {
    const { ipam, pool } = await makePool(SMALL)
    const given: string[] = []
    for (let container = 0; container < 6; container += 1) {
      const address = (await ipam.address(pool)).replace('/32', '')
      given.push(address)
      await ipam.release(address)
    }
    expect(given.join(' ')).toBe('10.1.1.10 10.1.1.11 10.1.1.12 10.1.1.13 10.1.1.14 10.1.1.10')
  })

  it('may be asked for by name, and is then passed over', async () => {
    const { ipam, pool } = await makePool()
    expect(await ipam.address(pool, '10.1.17.3')).toBe('10.1.17.3/32')
    expect(`${await ipam.address(pool)} ${await ipam.address(pool)}`).toBe('10.1.17.2/32 10.1.17.4/32')
  })

  it.each([
    ['10.1.18.5', 'it lies outside the cell 10.1.17.0/24 of this segment on this host'],
    ['10.1.17.0', 'it is the network address of 10.1.17.0/24'],
    ['10.1.17.1', 'it is the gateway of 10.1.17.0/24'],
    ['10.1.17.255', 'it is the last address of 10.1.17.0/24'],
  ])('%s is refused: %s', async (address, reason) => {
    const { ipam, pool } = await makePool()
    await expect(ipam.address(pool, address)).rejects.toThrow(
      `Cannot give out the address ${address}: ${reason}. Choose one of 10.1.17.0/24, or none (E_ADDRESS_REFUSED)`,
    )
    expect(await takenAddresses(ipam.journal)).toBe('')
  })

  it('that is taken is refused', async () => {
    const { ipam, pool } = await makePool()
    await ipam.address(pool)
    await expect(ipam.address(pool, '10.1.17.2')).rejects.toThrow(
      'Cannot give out the address 10.1.17.2: it is in use. Choose another one, or none (E_ADDRESS_TAKEN)',
    )
  })

  it('is given to one of ten who ask for it at the same moment', async () => {
    const { ipam, pool } = await makePool()
    const asked = Array.from({ length: 10 }, () => ipam.address(pool, '10.1.17.9'))
    const outcomes = (await Promise.allSettled(asked)).map(({ status }) => status)
    expect(outcomes.filter((status) => status === 'fulfilled')).toEqual(['fulfilled'])
  })

  it('is another one for each of ten who ask for any at the same moment', async () => {
    const { ipam, pool } = await makePool()
    const given = await Promise.all(Array.from({ length: 10 }, () => ipam.address(pool)))
    expect(new Set(given).size).toBe(10)
  })
})

describe('a cell', () => {
  it('of a /30 has one address, and has it again after its release', async () => {
    const { ipam, pool } = await makePool(SMALLEST)
    const full =
      'Cannot give out an address of segment "web" of tenant "blue": all 1 endpoint addresses of 10.1.1.4/30 are taken. Remove containers, or use another segment (E_POOL_FULL)'
    expect(await ipam.address(pool)).toBe('10.1.1.6/32')
    await expect(ipam.address(pool)).rejects.toThrow(full)
    await ipam.release('10.1.1.6')
    expect(await ipam.address(pool)).toBe('10.1.1.6/32')
    await expect(ipam.address(pool)).rejects.toThrow(full)
  })

  it('of a /29 gives out every address once, then the one that is released', async () => {
    const { ipam, pool } = await makePool(SMALL)
    const given = [1, 2, 3, 4, 5].map(() => ipam.address(pool))
    expect((await Promise.all(given)).join(' ')).toBe(
      '10.1.1.10/32 10.1.1.11/32 10.1.1.12/32 10.1.1.13/32 10.1.1.14/32',
    )
    await expect(ipam.address(pool)).rejects.toThrow('all 5 endpoint addresses of 10.1.1.8/29 are taken')
    await ipam.release('10.1.1.12')
    expect(await ipam.address(pool)).toBe('10.1.1.12/32')
  })

  it('of a /24 has 253 addresses', async () => {
    const { ipam, pool } = await makePool()
    const given = await Promise.all(Array.from({ length: 253 }, () => ipam.address(pool)))
    expect(`${given[0]} ${given[252]} ${new Set(given).size}`).toBe('10.1.17.2/32 10.1.17.254/32 253')
    await expect(ipam.address(pool)).rejects.toThrow('(E_POOL_FULL)')
  })
})

describe('the gateway', () => {
  it('is the first address of the cell, with its length, and is not taken for it', async () => {
    const { ipam, pool } = await makePool()
    expect(await ipam.gateway(pool)).toBe('10.1.17.1/24')
    expect(await ipam.gateway(pool, '10.1.17.1')).toBe('10.1.17.1/24')
    expect(await takenAddresses(ipam.journal)).toBe('')
  })

  it('may be another one, which no endpoint gets then', async () => {
    const { ipam, pool } = await makePool(SMALL)
    expect(await ipam.gateway(pool, '10.1.1.11')).toBe('10.1.1.11/29')
    expect(`${await ipam.address(pool)} ${await ipam.address(pool)}`).toBe('10.1.1.10/32 10.1.1.12/32')
    await expect(ipam.gateway(pool, '10.1.1.12')).rejects.toThrow('(E_ADDRESS_TAKEN)')
  })

  it('outside the cell is refused', async () => {
    const { ipam, pool } = await makePool()
    await expect(ipam.gateway(pool, '10.1.18.1')).rejects.toThrow('(E_ADDRESS_REFUSED)')
  })
})

describe('a release', () => {
  it.each(['10.1.17.1', '10.1.17.99', '192.0.2.1', 'fd00::5'])(
    'of %s, which nobody has, is well',
    async (address) => {
      const { ipam, pool } = await makePool()
      await ipam.address(pool)
      expect(await ipam.release(address)).toEqual({})
      expect(await takenAddresses(ipam.journal)).toBe('10.1.17.2 reserved')
    },
  )

  it('may come twice, and ten times at once', async () => {
    const { ipam, pool } = await makePool()
    await ipam.address(pool)
    await Promise.all(Array.from({ length: 10 }, () => ipam.release('10.1.17.2')))
    expect(await ipam.release('10.1.17.2')).toEqual({})
    expect(await takenAddresses(ipam.journal)).toBe('')
  })

  it('of what is no address is refused', async () => {
    await expect(makeIpam().release('everything')).rejects.toThrow(
      'Cannot read the address "everything": it is neither an IPv4 address such as 10.1.17.5 nor an IPv6 address such as fd00::5 (E_ADDRESS)',
    )
  })
})

describe('the id of a pool', () => {
  it.each([
    '',
    'pool-10.99.0.0/24',
    '10.1.17.0/24',
    '10.1.17.0/24,blue',
    '10.1.17.0/24,blue,web,,',
    '10.1.17.5/24,blue,web',
    '10.1.17.0/24,b/e,web',
  ])('"%s" is refused as none of this driver', async (poolId) => {
    const message = `Cannot find the pool "${poolId}": it is not the id of a pool that this driver has given out (E_POOL_UNKNOWN)`
    expect(() => parsePoolId(poolId)).toThrow(message)
    await expect(makeIpam().address(poolId)).rejects.toThrow(message)
    await expect(makeIpam().releasePool(poolId)).rejects.toThrow(message)
  })

  it.each([
    ['10.77.17.0/24,blue,web', 'it is no cell of this host in the plan 10.0.0.0/8'],
    ['192.0.2.0/24,blue,web', 'it is no cell of this host in the plan 10.0.0.0/8'],
    ['10.1.17.0/28,blue,web', 'it is no cell of this host in the plan 10.0.0.0/8'],
    ['fd00::/64,blue,web', 'this host has no plan for IPv6'],
    ['10.1.17.0/24,red,web', '10.1.17.0/24 is that of segment "web" of tenant "blue"'],
  ])('"%s" is refused as none of this host: its addresses are somebody else\'s', async (poolId, because) => {
    const ipam = makeIpam()
    await ipam.pool({ tenant: 'blue', segment: 'web' })
    const before = await keysOf(ipam.journal)
    const message = `Cannot find the pool "${poolId}": ${because}. Remove the network and create it again (E_POOL_UNKNOWN)`
    await expect(ipam.address(poolId)).rejects.toThrow(message)
    await expect(ipam.address(poolId, '10.1.17.9')).rejects.toThrow(message)
    await expect(ipam.gateway(poolId)).rejects.toThrow(message)
    expect(await keysOf(ipam.journal)).toBe(before)
  })
})
