/** Three hosts make and remove tenants, segments and networks at the same moments. */
import { expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { parseName } from '../../ipam-driver/names.ts'
import { addSegment, removeSegment } from '../../ipam-driver/segments.ts'
import { addTenant, removeTenant } from '../../ipam-driver/tenants.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { expectSound, holdsOf, segmentsOf } from './directory-steps.ts'
import { type Ipam, makeIpam } from './ipam-steps.ts'

const ROUNDS = 1_000

/** "won", or the code of the error. */
async function outcome(task: Promise<unknown>): Promise<string> {
  try {
    await task
    return 'won'
  } catch (error) {
    if (error instanceof RomanaError) return error.code
    throw error
  }
}

async function outcomes(hosts: readonly Ipam[], task: (host: Ipam) => Promise<unknown>): Promise<string> {
  return (await Promise.all(hosts.map((host) => outcome(task(host))))).toSorted().join(' ')
}

it(`${ROUNDS} times: one makes the tenant and the segment, one removes them, and no number has two names`, async () => {
  const directory = openMemoryStore()
  const hosts = [1n, 2n, 3n].map((host) => makeIpam({ directory, host }))
  for (let round = 0; round < ROUNDS; round += 1) {
    const tenant = parseName('tenant', `t${round % 7}`)
    const segment = parseName('segment', `s${round % 5}`)
    const made = await outcomes(hosts, ({ driver }) => addTenant(driver.segments, tenant))
    expect(made).toBe('E_SEGMENT_EXISTS E_SEGMENT_EXISTS won')
    const added = await outcomes(hosts, ({ driver }) => addSegment(driver.segments, tenant, segment))
    expect(added).toBe('E_SEGMENT_EXISTS E_SEGMENT_EXISTS won')
    const pools = await Promise.all([
      ...hosts.map((host) => host.pool({ tenant, segment })),
      ...hosts.map((host) => host.pool()),
    ])
    await expectSound(directory, hosts)
    const [one, ...others] = pools.slice(0, 3).map(({ Pool }) => Pool.split('.').slice(2).join('.'))
    expect(others).toEqual([one, one])
    expect(new Set(pools.slice(3).map(({ Pool }) => Pool.split('.').slice(2).join('.'))).size).toBe(3)
    await Promise.all(pools.map(({ PoolID }, index) => hosts[index % 3]?.releasePool(PoolID)))
    const gone = await outcomes(hosts, () => removeSegment(directory, tenant, segment))
    expect(gone).toBe('E_SEGMENT_UNKNOWN E_SEGMENT_UNKNOWN won')
    const left = await outcomes(hosts, () => removeTenant(directory, tenant))
    expect(left).toBe('E_SEGMENT_UNKNOWN E_SEGMENT_UNKNOWN won')
  }
  expect(`${await segmentsOf(directory)}${await holdsOf(directory)}`).toBe('')
}, 60_000)

it(`${ROUNDS} times: different tenants and segments, made and removed at once, never share a number`, async () => {
  const directory = openMemoryStore()
  const hosts = [1n, 2n, 3n].map((host) => makeIpam({ directory, host }))
  for (let round = 0; round < ROUNDS; round += 1) {
    const pools = await Promise.all(
      hosts.map((host, index) => host.pool({ tenant: `t${index}`, segment: `s${(round + index) % 9}` })),
    )
    expect(new Set(pools.map(({ Pool }) => Pool.split('.')[2])).size).toBe(3)
    await Promise.all(
      hosts.map(async (host, index) => {
        await host.releasePool(pools[index]?.PoolID ?? '')
        const tenant = parseName('tenant', `t${index}`)
        await removeSegment(directory, tenant, parseName('segment', `s${(round + index) % 9}`))
        await removeTenant(directory, tenant)
      }),
    )
    await expectSound(directory, hosts)
  }
}, 60_000)
