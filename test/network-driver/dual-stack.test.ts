import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import type { NetworkOptions } from '../contract/docker-engine.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, recordOf, startRomana, takenIn } from './romana-steps.ts'

const PLAN6 = 'fd3a:1c55:9e02::/48 16/16/16/32'
const WEB: NetworkOptions = { tenant: 'blue', segment: 'web' }
const DUAL: NetworkOptions = { ...WEB, ipv6: true }
const ONLY: NetworkOptions = { ...WEB, ipv6: 'only' }
const NAMES = { NetworkID: 'n1', EndpointID: 'e1', SandboxKey: '/var/run/docker/netns/c1' }

function startDual(): Promise<Romana> {
  return startRomana({ plan6: PLAN6 })
}

/** The answer to Join of an endpoint that was made and not joined yet. */
async function joinFirst(wish: NetworkOptions, addresses: object): Promise<unknown> {
  const romana = await startDual()
  await romana.engine.createNetwork('n1', wish)
  await romana.call('NetworkDriver.CreateEndpoint', { ...NAMES, Interface: addresses, Options: {} })
  return romana.call('NetworkDriver.Join', NAMES)
}

describe('a dual-stack network', () => {
  it('has one record with both pools', async () => {
    const romana = await startDual()
    await romana.engine.createNetwork('n1', DUAL)
    expect(await recordOf(romana.journal, '/networks/n1')).toBe(
      '{"auxiliary":[],"cell":"10.1.17.0/24","gateway":"10.1.17.1","internal":false,"networkId":"n1",' +
        '"pool6":{"cell":"fd3a:1c55:9e02:1:1:1::/96","gateway":"fd3a:1c55:9e02:1:1:1:0:1","auxiliary":[]},"segment":"web","tenant":"blue"}',
    )
  })

  it('without options has a segment of its own', async () => {
    const romana = await startDual()
    await romana.engine.createNetwork('n1', { ipv6: true })
    expect(await recordOf(romana.journal, '/networks/n1')).toContain('"segment":"auto-1"')
  })

  it('leaves nothing when it goes', async () => {
    const romana = await startDual()
    romana.kernel.setForwarding(true)
    const network = await romana.engine.createNetwork('n1', DUAL)
    await romana.engine.stop(await romana.engine.run('e1', network))
    await romana.engine.removeNetwork(network)
    expect(await takenIn(romana)).toBe('')
    expect(await keysOf(romana.journal, '/pools/')).toBe('')
    expect(await keysOf(romana.directory, '/segment-hosts/')).toBe('')
  })

  it('keeps an MTU that IPv6 can use', async () => {
    const romana = await startDual()
    const options = { 'com.docker.network.driver.mtu': '1279' }
    await expect(romana.engine.createNetwork('n1', { ...DUAL, options })).rejects.toThrow(
      'Cannot use the MTU "1279": it is not a number from 1280 to 65535 (E_OPTION)',
    )
  })
})

describe('two networks that were made at the same moment', () => {
  const data = (Pool: string, Gateway: string) => [{ AddressSpace: 'RomanaLocal', Pool, Gateway }]
  const request = { AddressSpace: 'RomanaLocal', Options: {} }

  it('and got pools of different segments are refused', async () => {
    const romana = await startDual()
    await romana.call('IpamDriver.RequestPool', { ...request, Options: WEB })
    await romana.call('IpamDriver.RequestPool', { ...request, V6: true })
    const IPv4Data = data('10.1.17.0/24', '10.1.17.1/24')
    const IPv6Data = data('fd3a:1c55:9e02:1:2:1::/96', 'fd3a:1c55:9e02:1:2:1:0:1/96')
    await expect(
      romana.call('NetworkDriver.CreateNetwork', { NetworkID: 'n1', IPv4Data, IPv6Data }),
    ).rejects.toThrow(
      'Cannot make a network of the pools 10.1.17.0/24 and fd3a:1c55:9e02:1:2:1::/96: they belong to different segments, "web" of tenant "blue" and "auto-1" of tenant "default". Name the segment with --ipam-opt tenant=NAME --ipam-opt segment=NAME, or create the network again (E_OPTION)',
    )
  })

  it('and would share a segment unasked are refused', async () => {
    const romana = await startDual()
    await romana.call('IpamDriver.RequestPool', request)
    await romana.call('IpamDriver.RequestPool', { ...request, V6: true })
    const IPv4Data = data('10.1.17.0/24', '10.1.17.1/24')
    await expect(romana.call('NetworkDriver.CreateNetwork', { NetworkID: 'n1', IPv4Data })).rejects.toThrow(
      'Cannot make a network of the pool 10.1.17.0/24: another network that is being made has fd3a:1c55:9e02:1:1:1::/96 of the same segment. Create the network again (E_CONFLICT)',
    )
  })
})

describe('Join', () => {
  it('of two addresses answers both gateways, each with a route to it', async () => {
    const Interface = { Address: '10.1.17.2/32', AddressIPv6: 'fd3a:1c55:9e02:1:1:1:0:2/128' }
    expect(await joinFirst(DUAL, Interface)).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      Gateway: '10.1.17.1',
      GatewayIPv6: 'fd3a:1c55:9e02:1:1:1:0:1',
      StaticRoutes: [
        { Destination: '10.1.17.1/32', RouteType: 1, NextHop: '' },
        { Destination: '10.1.17.0/24', RouteType: 0, NextHop: '10.1.17.1' },
        { Destination: 'fd3a:1c55:9e02:1:1:1:0:1/128', RouteType: 1, NextHop: '' },
        { Destination: 'fd3a:1c55:9e02:1:1:1::/96', RouteType: 0, NextHop: 'fd3a:1c55:9e02:1:1:1:0:1' },
      ],
    })
  })

  it('of IPv6 alone answers no IPv4 gateway', async () => {
    expect(await joinFirst(ONLY, { AddressIPv6: 'fd3a:1c55:9e02:1:1:1:0:2/128' })).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      GatewayIPv6: 'fd3a:1c55:9e02:1:1:1:0:1',
      StaticRoutes: [
        { Destination: 'fd3a:1c55:9e02:1:1:1:0:1/128', RouteType: 1, NextHop: '' },
        { Destination: 'fd3a:1c55:9e02:1:1:1::/96', RouteType: 0, NextHop: 'fd3a:1c55:9e02:1:1:1:0:1' },
      ],
    })
  })

  it('on an internal network answers no gateway of either family', async () => {
    const Interface = { Address: '10.1.17.2/32', AddressIPv6: 'fd3a:1c55:9e02:1:1:1:0:2/128' }
    const answer = JSON.stringify(await joinFirst({ ...DUAL, internal: true }, Interface))
    expect(answer).not.toContain('"Gateway')
  })
})

describe('a container with two addresses', () => {
  it('gives both back, however it ends', async () => {
    const romana = await startDual()
    const network = await romana.engine.createNetwork('n1', DUAL)
    const stopped = await romana.engine.run('e1', network)
    expect(await takenIn(romana)).toBe(
      '10.1.17.2 endpoint e1, fd3a:1c55:9e02:1:1:1:0:2 endpoint e1; /endpoints/e1',
    )
    await romana.engine.stop(stopped)
    const killed = await romana.engine.run('e2', network)
    romana.kernel.killContainer(killed.link)
    const again = await startRomana(romana)
    expect(await takenIn(again)).toBe('')
  })

  it('is known by its link when the journal is lost', async () => {
    const romana = await startDual()
    await romana.engine.run('e1', await romana.engine.createNetwork('n1', DUAL))
    const again = await startRomana({ ...romana, journal: openMemoryStore(), directory: openMemoryStore() })
    expect(again.recovered).toEqual({ networks: 0, endpoints: 1 })
    for (const key of ['/networks/n1', '/addresses/10.1.17.2', '/addresses/fd3a:1c55:9e02:1:1:1:0:2'])
      expect(await recordOf(again.journal, key)).toBe(await recordOf(romana.journal, key))
    expect(await takenIn(again)).toBe(await takenIn(romana))
    expect(again.kernel.show()).toBe(romana.kernel.show())
  })

  it('that never started leaves neither address', async () => {
    const romana = await startDual()
    await romana.engine.createNetwork('n1', DUAL)
    const Interface = { Address: '10.1.17.2/32', AddressIPv6: 'fd3a:1c55:9e02:1:1:1:0:2/128' }
    await romana.call('NetworkDriver.CreateEndpoint', { ...NAMES, Interface, Options: {} })
    await romana.call('IpamDriver.ReleaseAddress', { PoolID: '', Address: '10.1.17.2' })
    expect(await takenIn(romana)).toBe('')
  })

  it('cannot have the IPv6 address of another', async () => {
    const romana = await startDual()
    const network = await romana.engine.createNetwork('n1', DUAL)
    await romana.engine.run('e1', network)
    const Interface = { Address: '10.1.17.9/32', AddressIPv6: 'fd3a:1c55:9e02:1:1:1:0:2/128' }
    await expect(
      romana.call('NetworkDriver.CreateEndpoint', { ...NAMES, EndpointID: 'e2', Interface, Options: {} }),
    ).rejects.toThrow('Cannot give the address fd3a:1c55:9e02:1:1:1:0:2 to the endpoint: another endpoint')
    expect(await takenIn(romana)).not.toContain('e2')
  })
})
