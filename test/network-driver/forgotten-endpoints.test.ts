import { describe, expect, it } from 'vitest'
import { REST_MS } from '../../ipam-driver/addresses.ts'
import { type Romana, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

/** Cells with one address. */
const ONE = '10.0.0.0/8 8/8/6/2'
const NAMES = { NetworkID: 'n1', EndpointID: 'e1', SandboxKey: '/var/run/docker/netns/c1' }

/** The engine has made endpoint e1 with the only address, 10.1.1.6, and died: it never names it again. */
async function startWithForgotten() {
  const clock = { ms: 0 }
  const romana = await startRomana({ plan: ONE, nowMs: () => clock.ms })
  const network = await romana.engine.createNetwork('n1')
  await romana.call('IpamDriver.RequestAddress', { PoolID: network.poolId, Address: '', Options: null })
  await romana.call('NetworkDriver.CreateEndpoint', { ...NAMES, Interface: { Address: '10.1.1.6/32' } })
  return { romana, clock, network }
}

/** A call for something else, by which the driver notices the time. */
async function look({ call }: Romana): Promise<void> {
  await call('IpamDriver.ReleaseAddress', { PoolID: '', Address: '192.0.2.1' })
}

describe('an endpoint that the engine has forgotten', () => {
  it('keeps its address for a minute', async () => {
    const { romana, clock, network } = await startWithForgotten()
    await look(romana)
    clock.ms += REST_MS - 1
    await expect(romana.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
    await expect(romana.engine.run('e2', network, { ip: '10.1.1.6' })).rejects.toThrow('(E_ADDRESS_TAKEN)')
    expect(await takenIn(romana)).toBe('10.1.1.6 endpoint e1; /endpoints/e1')
  })

  it.each([{}, { ip: '10.1.1.6' }])('gives way then to who asks with %j', async (options) => {
    const { romana, clock, network } = await startWithForgotten()
    await look(romana)
    clock.ms += REST_MS
    expect((await romana.engine.run('e2', network, options)).address).toBe('10.1.1.6')
    expect(await takenIn(romana)).toBe('10.1.1.6 endpoint e2; /endpoints/e2')
  })

  it('does not give way as long as it is joined', async () => {
    const { romana, clock, network } = await startWithForgotten()
    await romana.call('NetworkDriver.Join', NAMES)
    await look(romana)
    clock.ms += 10 * REST_MS
    await expect(romana.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
  })

  it('does not give way when it joins in the last moment', async () => {
    const { romana, clock, network } = await startWithForgotten()
    await look(romana)
    clock.ms += REST_MS
    const [joined, other] = await Promise.allSettled([
      romana.call('NetworkDriver.Join', NAMES),
      romana.engine.run('e2', network),
    ])
    expect([joined.status, other.status].toSorted().join(' ')).toBe('fulfilled rejected')
    expect(showEndpoints(romana).match(/^route .*/gm)).toHaveLength(1)
  })

  it('leaves nothing in the kernel when the plugin went away behind Leave', async () => {
    const { romana, clock, network } = await startWithForgotten()
    await romana.call('NetworkDriver.Join', NAMES)
    await romana.call('NetworkDriver.Leave', NAMES)
    const again = await startRomana(romana)
    await look(again)
    clock.ms += REST_MS
    expect((await again.engine.run('e2', network)).address).toBe('10.1.1.6')
    expect(showEndpoints(again).match(/^route .*/gm)).toEqual([
      'route 10.1.1.6/32 dev rmne2 table 8200 protocol 82',
    ])
  })
})
