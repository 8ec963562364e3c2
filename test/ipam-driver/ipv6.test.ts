import { describe, expect, it } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { journalKeys } from '../../store/keys.ts'
import { formatRecord } from '../../store/records.ts'
import { type Ipam, keysOf, makeIpam, takenAddresses } from './ipam-steps.ts'

const PLAN6 = 'fd3a:1c55:9e02::/48 16/16/16/32'
const WEB = { tenant: 'blue', segment: 'web' }
const CELL6 = 'fd3a:1c55:9e02:1:1:1::/96'

function makeDual(): Ipam {
  return makeIpam({ plan6: PLAN6 })
}

/** The pools of a dual-stack network, as the engine asks for them. */
async function poolsOf(ipam: Ipam, options = {}): Promise<string[]> {
  const ipv4 = await ipam.pool(options)
  return [ipv4.PoolID, (await ipam.pool({ ...options, ipv6: true })).PoolID]
}

/** The record that a network leaves behind its pools. */
async function makeNetwork({ journal }: Ipam, networkId: string, ...pools: string[]): Promise<void> {
  const [first, second] = pools.map((pool) => {
    const cell = Cidr.parse(pool.split(',')[0] ?? '')
    return { cell, gateway: Ip.of(cell.family, cell.network.value + 1n), auxiliary: [] }
  })
  const names = { tenant: 'default', segment: pools[0]?.split(',')[2], internal: false }
  const value = formatRecord({ networkId, ...names, ...first, ...(second && { pool6: second }) })
  await journal.commit([{ kind: 'put', key: `/networks/${networkId}`, value }])
}

describe('an IPv6 pool', () => {
  it('is the IPv6 cell of its segment on this host, and brings its gateway along', async () => {
    expect(await makeDual().pool({ ...WEB, ipv6: true })).toEqual({
      PoolID: `${CELL6},blue,web`,
      Pool: CELL6,
      Data: { 'com.docker.network.gateway': 'fd3a:1c55:9e02:1:1:1:0:1/96' },
    })
  })

  it('has the numbers of the IPv4 one', async () => {
    const ipam = makeDual()
    await ipam.pool({ tenant: 'green' })
    await ipam.pool({ tenant: 'blue', segment: 'db' })
    expect(await poolsOf(ipam, WEB)).toEqual(['10.1.34.0/24,blue,web', 'fd3a:1c55:9e02:1:2:2::/96,blue,web'])
  })

  it('may be asked for as a subnet, and names its segment by numbers', async () => {
    const ipam = makeDual()
    await ipam.pool(WEB)
    expect((await ipam.pool({ subnet: CELL6, ipv6: true })).PoolID).toBe(`${CELL6},blue,web`)
    expect((await ipam.pool({ ...WEB, subnet: CELL6, ipv6: true })).PoolID).toBe(`${CELL6},blue,web`)
  })

  it.each([
    ['fd3a:1c55:9e02:2:1:1::/96', 'its bits say host 2, and this is host 1'],
    ['fd3a:1c55:9e02:1:1:1::/64', 'a cell of the plan fd3a:1c55:9e02::/48 is a /96'],
    ['fd00::/96', 'it lies outside the plan fd3a:1c55:9e02::/48'],
    ['fd3a:1c55:9e02:1:1:2::/96', `segment "web" of tenant "blue" has ${CELL6} on this host`],
  ])('of the subnet %s is refused: %s', async (subnet, because) => {
    const ipam = makeDual()
    await ipam.pool(WEB)
    const canonical = subnet.replace(':1:1::/64', '::/64')
    await expect(ipam.pool({ ...WEB, subnet, ipv6: true })).rejects.toThrow(
      `Cannot use the subnet "${canonical}": ${because}. Leave out --subnet, or write --subnet ${CELL6}: tenant and segment say which addresses a network has (E_SUBNET)`,
    )
  })

  it('holds the segment as the IPv4 one does: it stays until both are gone', async () => {
    const ipam = makeDual()
    const [ipv4 = '', ipv6 = ''] = await poolsOf(ipam)
    await ipam.releasePool(ipv4)
    expect(await keysOf(ipam.directory, '/segment')).toContain('/segment-hosts/default/auto-1/1')
    await ipam.releasePool(ipv6)
    expect(await keysOf(ipam.directory, '/segments/')).toBe('')
    expect(await keysOf(ipam.journal)).toBe('')
  })

  it('comes back when the journal is lost, and both hold the segment', async () => {
    const ipam = makeDual()
    const pools = await poolsOf(ipam)
    const again = makeIpam({ directory: ipam.directory, plan6: PLAN6 })
    await makeNetwork(again, 'n1', ...pools)
    expect(await again.driver.recover()).toEqual([])
    expect(await keysOf(again.journal, '/pools/')).toBe(
      '/pools/10.1.17.0/24 /pools/fd3a:1c55:9e02:1:1:1::/96',
    )
  })
})

describe('an automatic segment of a dual-stack network', () => {
  it('is one for both pools', async () => {
    const ipam = makeDual()
    expect(await poolsOf(ipam)).toEqual(['10.1.17.0/24,default,auto-1', `${CELL6},default,auto-1`])
    expect(await poolsOf(ipam)).toEqual([
      '10.1.18.0/24,default,auto-2',
      'fd3a:1c55:9e02:1:1:2::/96,default,auto-2',
    ])
  })

  it('is not that of an IPv4 network', async () => {
    const ipam = makeDual()
    await makeNetwork(ipam, 'n1', (await ipam.pool()).PoolID)
    expect((await ipam.pool({ ipv6: true })).PoolID).toBe('fd3a:1c55:9e02:1:1:2::/96,default,auto-2')
  })

  it('is a segment of its own for a network that has IPv6 only', async () => {
    const ipam = makeDual()
    const first = await ipam.pool({ ipv6: true })
    await makeNetwork(ipam, 'n1', first.PoolID)
    expect((await ipam.pool({ ipv6: true })).PoolID).toBe('fd3a:1c55:9e02:1:1:2::/96,default,auto-2')
  })
})

describe('an IPv6 address', () => {
  it('is the next one behind the last given, as a /128', async () => {
    const ipam = makeDual()
    const { PoolID } = await ipam.pool({ ...WEB, ipv6: true })
    const given = [await ipam.address(PoolID), await ipam.address(PoolID)]
    expect(given.join(' ')).toBe('fd3a:1c55:9e02:1:1:1:0:2/128 fd3a:1c55:9e02:1:1:1:0:3/128')
  })

  it('may be asked for by name, anywhere in its cell of 2^32', async () => {
    const ipam = makeDual()
    const { PoolID } = await ipam.pool({ ...WEB, ipv6: true })
    const wanted = 'fd3a:1c55:9e02:1:1:1:dead:beef'
    expect(await ipam.address(PoolID, wanted)).toBe(`${wanted}/128`)
    await expect(ipam.address(PoolID, wanted)).rejects.toThrow('(E_ADDRESS_TAKEN)')
  })

  it.each([
    ['fd3a:1c55:9e02:1:1:1:0:1', 'it is the gateway of'],
    ['fd3a:1c55:9e02:1:1:1:ffff:ffff', 'it is the last address of'],
    ['10.1.17.5', 'it lies outside the cell'],
  ])('%s is refused: %s', async (address, because) => {
    const ipam = makeDual()
    const { PoolID } = await ipam.pool({ ...WEB, ipv6: true })
    await expect(ipam.address(PoolID, address)).rejects.toThrow(because)
  })
})

describe('addresses that have rested', () => {
  it('leave the journal, the oldest first, so that it does not grow with every container', async () => {
    let nowMs = 0
    const ipam = makeIpam({ plan6: PLAN6, nowMs: () => nowMs })
    const { PoolID } = await ipam.pool({ ...WEB, ipv6: true })
    for (let container = 0; container < 3000; container += 1) {
      nowMs += 1000
      const address = (await ipam.address(PoolID)).replace('/128', '')
      await ipam.release(address)
    }
    const { entries } = await ipam.journal.list(journalKeys.addresses())
    expect(entries.length).toBeLessThan(2400)
    expect(await takenAddresses(ipam.journal)).toBe('')
  })
})
