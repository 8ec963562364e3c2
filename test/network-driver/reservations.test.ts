import { describe, expect, it } from 'vitest'
import type { EngineNetwork } from '../contract/docker-engine.ts'
import { type Romana, startRomana, takenIn } from './romana-steps.ts'

/** Cells of one address: 10.1.1.6. */
const PLAN = '10.0.0.0/8 8/8/6/2'

/** A cell whose only address the engine has asked for, and of which it has made no endpoint yet. */
async function reserved() {
  const clock = { ms: 0 }
  const romana = await startRomana({ plan: PLAN, nowMs: () => clock.ms })
  const network = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
  const request = { PoolID: network.poolId, Address: '', Options: {} }
  expect(await romana.call('IpamDriver.RequestAddress', request)).toEqual({ Address: '10.1.1.6/32' })
  await expect(romana.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
  return { romana, network, clock }
}

function createEndpoint({ call }: Romana, { id }: EngineNetwork): Promise<unknown> {
  const Interface = { Address: '10.1.1.6/32', AddressIPv6: '', MacAddress: '' }
  return call('NetworkDriver.CreateEndpoint', { NetworkID: id, EndpointID: 'e1', Interface, Options: {} })
}

describe('a reservation without an endpoint', () => {
  it('lasts a minute, and then the address is whose endpoint comes first', async () => {
    const { romana, network, clock } = await reserved()
    clock.ms = 59_999
    await expect(romana.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
    clock.ms = 60_000
    expect((await romana.engine.run('e2', network)).address).toBe('10.1.1.6')
    await expect(createEndpoint(romana, network)).rejects.toThrow('(E_ADDRESS_TAKEN)')
    expect(await takenIn(romana)).toBe('10.1.1.6 endpoint e2; /endpoints/e2')
  })

  it('lasts a minute from a start of the plugin on', async () => {
    const { romana, network, clock } = await reserved()
    clock.ms = 59_999
    const again = await startRomana(romana)
    await expect(again.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
    clock.ms = 119_998
    await expect(again.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
    clock.ms = 119_999
    expect((await again.engine.run('e2', network)).address).toBe('10.1.1.6')
  })

  it('is not what an endpoint has, however long ago it was made', async () => {
    const { romana, network, clock } = await reserved()
    await createEndpoint(romana, network)
    await romana.call('NetworkDriver.Join', {
      NetworkID: network.id,
      EndpointID: 'e1',
      SandboxKey: '/var/run/docker/netns/e1',
      Options: {},
    })
    clock.ms = 1_000_000
    await expect(romana.engine.run('e2', network)).rejects.toThrow('(E_POOL_FULL)')
    expect(await takenIn(romana)).toBe('10.1.1.6 endpoint e1; /endpoints/e1')
  })
})
