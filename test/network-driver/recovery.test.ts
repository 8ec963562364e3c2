import { describe, expect, it } from 'vitest'
import { makeFaultyStore } from '../cluster/faulty-store.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { startWithContainer } from './container-steps.ts'
import { recordsIn, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

describe('a start', () => {
  it('on an untouched host does nothing', async () => {
    const romana = await startRomana()
    expect(romana.kernel.show()).toBe('')
    expect(romana.recovered).toEqual({ networks: 0, endpoints: 0 })
    expect(romana.plans).toEqual([])
  })

  it('beside running containers changes neither kernel nor records', async () => {
    const romana = await startWithContainer()
    const before = [romana.kernel.show(), await recordsIn(romana)].join('\n')
    const again = await startRomana(romana)
    expect([again.kernel.show(), await recordsIn(again)].join('\n')).toBe(before)
    expect(again.plans).toEqual([])
    expect(again.recovered).toEqual({ networks: 0, endpoints: 0 })
  })

  it('after a reboot brings the rules back, and frees what the containers had', async () => {
    const romana = await startWithContainer()
    const again = await startRomana({ ...romana, kernel: (await startRomana()).kernel })
    expect(again.kernel.show()).toContain('route unreachable 10.0.0.0/8 table 8200 protocol 82')
    expect(await takenIn(again)).toBe('')
    await again.engine.bury(romana.endpoint)
    expect((await again.engine.run('e2', romana.endpoint.network)).address).toBe('10.1.17.3')
  })

  it('frees what a container had that died while nobody could tell', async () => {
    const romana = await startWithContainer()
    romana.kernel.killContainer(romana.endpoint.link)
    expect(await takenIn(await startRomana(romana))).toBe('')
  })

  it('frees what a container had that the engine stopped while the plugin was away, and moved its link back', async () => {
    const romana = await startWithContainer()
    romana.kernel.leaveContainer(romana.endpoint.link)
    const again = await startRomana(romana)
    expect(await takenIn(again)).toBe('')
    expect(showEndpoints(again)).toBe('')
  })

  it('is the only look that takes a pair with both ends here for a dead one', async () => {
    const romana = await startWithContainer()
    romana.kernel.leaveContainer(romana.endpoint.link)
    const before = showEndpoints(romana)
    await romana.engine.createNetwork('n2')
    expect(showEndpoints(romana)).toBe(before)
    expect(await takenIn(romana)).toBe('10.1.17.2 endpoint e1; /endpoints/e1')
  })

  it('removes the pair of a container that left while nobody could tell', async () => {
    const romana = await startWithContainer()
    await romana.call('NetworkDriver.Leave', { NetworkID: 'n1', EndpointID: 'e1' })
    romana.kernel.leaveContainer(romana.endpoint.link)
    const again = await startRomana(romana)
    expect(showEndpoints(again)).toBe('')
  })

  it('repairs what somebody else took away', async () => {
    const romana = await startWithContainer()
    const before = romana.kernel.show()
    romana.kernel.ip(
      'route delete 10.1.17.2/32 dev rmne1 table 8200 protocol 82',
      'route delete unreachable 10.0.0.0/8 table 8200 protocol 82',
    )
    romana.kernel.iptablesRestore(4, '*filter\n-D FORWARD -j ROMANA-FORWARD\nCOMMIT\n')
    expect(romana.kernel.show()).not.toBe(before)
    expect((await startRomana(romana)).kernel.show()).toBe(before)
  })

  it('of a host that cannot be seen fails and changes nothing', async () => {
    const romana = await startWithContainer()
    romana.kernel.failNext('observe')
    await expect(startRomana(romana)).rejects.toThrow('(E_COMMAND)')
    expect((await startRomana(romana)).recovered).toEqual({ networks: 0, endpoints: 0 })
  })
})

describe('while the directory is away', () => {
  it('a host that knew it starts from its journal, with all that it had', async () => {
    const romana = await startWithContainer()
    const directory = makeFaultyStore(romana.directory)
    directory.isAway = true
    const again = await startRomana({ ...romana, directory })
    expect(again.plans).toEqual([])
    expect((await again.engine.run('e2', romana.endpoint.network)).address).toBe('10.1.17.3')
    await again.engine.stop(romana.endpoint)
  })

  it('a new host does not start, as it does not know what it had', async () => {
    const directory = makeFaultyStore()
    directory.isAway = true
    await expect(startRomana({ directory })).rejects.toThrow('it is away (E_STORE)')
  })

  it('networks can be removed, and their segments are left when it is back', async () => {
    const directory = makeFaultyStore()
    const romana = await startRomana({ directory })
    const network = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
    directory.isAway = true
    await romana.engine.removeNetwork(network)
    directory.isAway = false
    expect(await keysOf(directory, '/segment-hosts/')).toBe('/segment-hosts/blue/web/1')
    await romana.drivers.ipam.recover()
    expect(await keysOf(directory, '/segment-hosts/')).toBe('')
    expect(await keysOf(romana.journal)).toBe('')
  })
})
