import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import type { EngineNetwork } from '../contract/docker-engine.ts'
import { mirrorHost, type Romana, startRomana } from './romana-steps.ts'

const WEB = { tenant: 'blue', segment: 'web' }

/** CreateEndpoint and Join of an endpoint of this container. */
async function connect(
  romana: Romana,
  id: string,
  network: EngineNetwork,
  container = 'c1',
): Promise<unknown> {
  const { call } = romana
  const given = await call('IpamDriver.RequestAddress', {
    PoolID: network.poolId,
    Address: '',
    Options: null,
  })
  const Interface = { MacAddress: '', ...(typeof given === 'object' ? given : {}) }
  const names = { NetworkID: network.id, EndpointID: id }
  await call('NetworkDriver.CreateEndpoint', { ...names, Interface })
  return call('NetworkDriver.Join', { ...names, SandboxKey: `/var/run/docker/netns/${container}` })
}

/** Networks n1 and n2 of one segment, and a container on n1. */
async function startWithTwoNetworks() {
  const romana = await startRomana()
  const first = await romana.engine.createNetwork('n1', WEB)
  const second = await romana.engine.createNetwork('n2', WEB)
  await connect(romana, 'e1', first)
  return { romana, first, second }
}

const REFUSAL =
  'Cannot connect the container to another network of segment "web" of tenant "blue": it has an address of this segment already. One network of a segment is enough: all networks of a segment reach each other (E_OPTION)'

describe('a container', () => {
  it('may be on networks of several segments', async () => {
    const { romana } = await startWithTwoNetworks()
    const other = await romana.engine.createNetwork('n3', { tenant: 'blue', segment: 'db' })
    expect(await connect(romana, 'e2', other)).toMatchObject({ Gateway: '10.1.18.1' })
  })

  it('is on one network of a segment', async () => {
    const { romana, second } = await startWithTwoNetworks()
    await expect(connect(romana, 'e2', second)).rejects.toThrow(REFUSAL)
  })

  it('is on one network of a segment, also after the plugin was away', async () => {
    const { romana, second } = await startWithTwoNetworks()
    romana.kernel.enterContainer('rmp1')
    await expect(connect(await startRomana(romana), 'e2', second)).rejects.toThrow(REFUSAL)
  })

  it('is on one network of a segment, also after the journal was lost', async () => {
    const { romana, second } = await startWithTwoNetworks()
    romana.kernel.enterContainer('rmp1')
    await mirrorHost(romana)
    const again = await startRomana({ ...romana, journal: openMemoryStore() })
    await expect(connect(again, 'e2', second)).rejects.toThrow(REFUSAL)
    expect(await connect(again, 'e3', second, 'c2')).toMatchObject({ Gateway: '10.1.17.1' })
  })

  it('is not taken for another one', async () => {
    const { romana, second } = await startWithTwoNetworks()
    expect(await connect(romana, 'e2', second, 'c2')).toMatchObject({ Gateway: '10.1.17.1' })
  })

  it.each(['Leave', 'DeleteEndpoint'])(
    'may change to another network of the segment behind %s',
    async (method) => {
      const { romana, second } = await startWithTwoNetworks()
      await romana.call(`NetworkDriver.${method}`, { NetworkID: 'n1', EndpointID: 'e1' })
      expect(await connect(romana, 'e2', second)).toMatchObject({ Gateway: '10.1.17.1' })
    },
  )
})
