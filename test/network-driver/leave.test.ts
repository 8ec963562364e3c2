import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import { startWithContainer } from './container-steps.ts'
import { CREATE, startWithNetwork, tenTimes } from './endpoint-steps.ts'
import { type Romana, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

function loseJournal(romana: Romana): Promise<Romana> {
  return startRomana({ ...romana, journal: openMemoryStore() })
}

describe('Leave and DeleteEndpoint', () => {
  it.each(['Leave', 'DeleteEndpoint', 'RevokeExternalConnectivity', 'ProgramExternalConnectivity'])(
    '%s of what Romana does not know is well, also twice',
    async (method) => {
      const romana = await startWithNetwork()
      expect(await romana.callNetwork(method)).toEqual({})
      expect(await romana.callNetwork(method)).toEqual({})
      expect(await takenIn(romana)).toBe('10.1.17.2 reserved')
    },
  )

  it('EndpointOperInfo knows nothing of any endpoint, and is well', async () => {
    const { callNetwork } = await startWithNetwork()
    expect(await callNetwork('EndpointOperInfo')).toEqual({ Value: {} })
  })

  it.each([
    ['Leave DeleteEndpoint'],
    ['Leave Leave DeleteEndpoint'],
    ['DeleteEndpoint'],
    ['DeleteEndpoint Leave'],
    ['Leave DeleteEndpoint DeleteEndpoint Leave'],
  ])('%s after Join leaves the reservation, which goes with ReleaseAddress', async (methods) => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('Join')
    for (const method of methods.split(' ')) expect(await romana.callNetwork(method)).toEqual({})
    expect(showEndpoints(romana)).toBe('')
    expect(await takenIn(romana)).toBe('10.1.17.2 reserved')
    await romana.call('IpamDriver.ReleaseAddress', { PoolID: romana.poolId, Address: '10.1.17.2' })
    expect(await takenIn(romana)).toBe('')
  })

  it('ten times each at once leave nothing either', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('Join')
    await Promise.all(['Leave', 'DeleteEndpoint'].map((name) => tenTimes(() => romana.callNetwork(name))))
    const release = { PoolID: romana.poolId, Address: '10.1.17.2' }
    await tenTimes(() => romana.call('IpamDriver.ReleaseAddress', release))
    expect(showEndpoints(romana)).toBe('')
    expect(await takenIn(romana)).toBe('')
  })

  it('DeleteEndpoint without Join leaves the reservation', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('DeleteEndpoint')
    expect(await takenIn(romana)).toBe('10.1.17.2 reserved')
  })

  it('an address given back before its endpoint stays taken, and goes with it', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('Join')
    const release = { PoolID: romana.poolId, Address: '10.1.17.2' }
    await romana.call('IpamDriver.ReleaseAddress', release)
    await expect(romana.call('IpamDriver.RequestAddress', { ...release, Options: null })).rejects.toThrow(
      '(E_ADDRESS_TAKEN)',
    )
    await romana.callNetwork('DeleteEndpoint')
    expect(await takenIn(romana)).toBe('')
  })

  it('an address given back without DeleteEndpoint, which a dead engine never sends, takes an unjoined endpoint along', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.call('IpamDriver.ReleaseAddress', { PoolID: romana.poolId, Address: '10.1.17.2' })
    expect(await takenIn(romana)).toBe('')
  })

  it.each([
    ['twice', async (romana: Romana) => romana],
    ['by a plugin that has lost its journal', loseJournal],
  ])(
    'an address given back between Leave and DeleteEndpoint, %s, goes with the links',
    async (_how, meanwhile) => {
      const { endpoint, ...romana } = await startWithContainer()
      const { call, ...again } = await meanwhile(romana)
      const names = { NetworkID: 'n1', EndpointID: 'e1' }
      const release = { PoolID: endpoint.network.poolId, Address: endpoint.address }
      await call('NetworkDriver.Leave', names)
      romana.kernel.leaveContainer(endpoint.link)
      await call('IpamDriver.ReleaseAddress', release)
      await call('IpamDriver.ReleaseAddress', release)
      expect(await takenIn(again)).toBe('10.1.17.2 released e1; /endpoints/e1')
      await call('NetworkDriver.DeleteEndpoint', names)
      expect(showEndpoints(again)).toBe('')
      expect(await takenIn(again)).toBe('')
    },
  )

  it('a link number is never used twice', async () => {
    const romana = await startRomana()
    const { engine } = romana
    const network = await engine.createNetwork('n1')
    const links: string[] = []
    for (const id of ['e1', 'e2', 'e3']) {
      const endpoint = await engine.run(id, network)
      links.push(endpoint.link)
      await engine.stop(endpoint)
    }
    expect(links.join(' ')).toBe('rmp1 rmp2 rmp3')
  })
})
