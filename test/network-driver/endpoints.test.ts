import { describe, expect, it } from 'vitest'
import type { NetworkOptions } from '../contract/docker-engine.ts'
import { recordOf, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

const NAMES = { NetworkID: 'n1', EndpointID: 'e1', SandboxKey: '/var/run/docker/netns/c1' }
const CREATE = { ...NAMES, Interface: { Address: '10.1.17.2/32', MacAddress: '' }, Options: {} }
const LINKS = `link rmne1 mtu 1500 peer rmp1 up alias "romana1 e1 n1 10.1.17.2 blue web"
link rmp1 mtu 1500 peer rmne1 down
address 10.1.17.1/32 dev rmne1
route 10.1.17.2/32 dev rmne1 table 8200 protocol 82`

/** A network n1 of segment web of tenant blue, and its address 10.1.17.2 reserved. */
async function startWithNetwork(wish: NetworkOptions = {}) {
  const romana = await startRomana()
  const { poolId } = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web', ...wish })
  await romana.call('IpamDriver.RequestAddress', { PoolID: poolId, Address: '', Options: null })
  const call = (method: string, body: object = NAMES) => romana.call(`NetworkDriver.${method}`, body)
  return { ...romana, poolId, callNetwork: call }
}

async function tenTimes(call: () => Promise<unknown>): Promise<unknown[]> {
  const answers = await Promise.all(Array.from({ length: 10 }, call))
  return [...new Set(answers.map((answer) => JSON.stringify(answer)))].map((text) => JSON.parse(text))
}

describe('CreateEndpoint', () => {
  it('answers a MAC that follows from the address, when the engine has none', async () => {
    const { callNetwork } = await startWithNetwork()
    expect(await callNetwork('CreateEndpoint', CREATE)).toEqual({
      Interface: { MacAddress: '02:52:0a:01:11:02' },
    })
  })

  it('answers nothing when the engine has one: the same one would be a change', async () => {
    const { callNetwork } = await startWithNetwork()
    const Interface = { Address: '10.1.17.2/32', MacAddress: '02:52:0a:01:11:02' }
    expect(await callNetwork('CreateEndpoint', { ...CREATE, Interface })).toEqual({})
  })

  it('makes no link yet', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(showEndpoints(romana)).toBe('')
  })

  it('may come twice, and ten times at once', async () => {
    const romana = await startWithNetwork()
    expect(await tenTimes(() => romana.callNetwork('CreateEndpoint', CREATE))).toHaveLength(1)
    expect(await takenIn(romana)).toBe('10.1.17.2 endpoint e1; /endpoints/e1')
    expect(await recordOf(romana.journal, '/endpoints/e1')).toContain('"linkNumber":1,')
  })

  it.each<[string, object, string]>([
    [
      'on a network that Romana does not know',
      { NetworkID: 'n9' },
      'Cannot use the network "n9": Romana has no record of it. Remove the network and create it again (E_NETWORK_UNKNOWN)',
    ],
    [
      'with an address outside the cell',
      { Interface: { Address: '10.1.18.2/32' } },
      `Cannot give the address 10.1.18.2 to the endpoint: it lies outside the network's 10.1.17.0/24. Start the container again (E_ADDRESS_TAKEN)`,
    ],
    ['without an address', { Interface: { Address: '' } }, 'Cannot read the network ""'],
    ['without an interface', { Interface: null }, '(E_ADDRESS)'],
    [
      'with published ports',
      { Options: { 'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostPort: 8080 }] } },
      'Cannot publish ports (-p, -P): this release of Romana publishes none. Start the container without -p: the host itself reaches it at its own address (E_OPTION)',
    ],
  ])('%s is refused and leaves nothing', async (_what, change, message) => {
    const romana = await startWithNetwork()
    await expect(romana.callNetwork('CreateEndpoint', { ...CREATE, ...change })).rejects.toThrow(message)
    expect(await takenIn(romana)).toBe('10.1.17.2 reserved')
  })

  it('with the address of another endpoint is refused', async () => {
    const { callNetwork } = await startWithNetwork()
    await callNetwork('CreateEndpoint', CREATE)
    await expect(callNetwork('CreateEndpoint', { ...CREATE, EndpointID: 'e2' })).rejects.toThrow(
      'Cannot give the address 10.1.17.2 to the endpoint: another endpoint has it, or it is kept for the network. Start the container again (E_ADDRESS_TAKEN)',
    )
  })

  it('of one endpoint with another address is refused', async () => {
    const { callNetwork } = await startWithNetwork()
    await callNetwork('CreateEndpoint', CREATE)
    const Interface = { Address: '10.1.17.3/32' }
    await expect(callNetwork('CreateEndpoint', { ...CREATE, Interface })).rejects.toThrow(
      'Cannot give the address 10.1.17.3 to the endpoint: endpoint "e1" has 10.1.17.2. Start the container again (E_ADDRESS_TAKEN)',
    )
  })

  it('of two endpoints with one address at the same moment lets one have it', async () => {
    const romana = await startWithNetwork()
    const both = ['e1', 'e2'].map((EndpointID) =>
      romana.callNetwork('CreateEndpoint', { ...CREATE, EndpointID }),
    )
    const outcomes = (await Promise.allSettled(both)).map(({ status }) => status)
    expect(outcomes.toSorted().join(' ')).toBe('fulfilled rejected')
  })
})

describe('Join', () => {
  it('makes links, gateway and route, and says which link to move', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      Gateway: '10.1.17.1',
      StaticRoutes: [
        { Destination: '10.1.17.1/32', RouteType: 1, NextHop: '' },
        { Destination: '10.1.17.0/24', RouteType: 0, NextHop: '10.1.17.1' },
      ],
    })
    expect(showEndpoints(romana)).toBe(LINKS)
  })

  it('on an internal network gives no gateway, which would be a way out', async () => {
    const romana = await startWithNetwork({ internal: true })
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      StaticRoutes: [
        { Destination: '10.1.17.1/32', RouteType: 1, NextHop: '' },
        { Destination: '10.1.17.0/24', RouteType: 0, NextHop: '10.1.17.1' },
      ],
    })
    expect(showEndpoints(romana)).toContain('link rmni1 mtu 1500')
  })

  it('goes by the gateway and the MTU of the network', async () => {
    const romana = await startWithNetwork({
      gateway: '10.1.17.254',
      options: { 'com.docker.network.driver.mtu': '1400' },
    })
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toMatchObject({ Gateway: '10.1.17.254' })
    expect(showEndpoints(romana)).toContain('link rmne1 mtu 1400 peer rmp1 up')
    expect(showEndpoints(romana)).toContain('address 10.1.17.254/32 dev rmne1')
  })

  it('has the smallest MTU of the uplinks where the network says none', async () => {
    const romana = await startRomana()
    const { kernel, engine } = romana
    kernel.ip('link add name eth0 mtu 1450 type dummy', 'link set dev eth0 up', 'route add default dev eth0')
    await engine.run('e1', await engine.createNetwork('n1'))
    expect(showEndpoints(romana)).toContain('link rmne1 mtu 1450 peer elsewhere up')
  })

  it('may come twice, and ten times at once', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await tenTimes(() => romana.callNetwork('Join'))).toHaveLength(1)
    await romana.callNetwork('Join')
    expect(showEndpoints(romana)).toBe(LINKS)
  })

  it('of an endpoint that Romana does not know is refused', async () => {
    const { callNetwork } = await startWithNetwork()
    await expect(callNetwork('Join')).rejects.toThrow(
      'Cannot join endpoint "e1" to network "n1": Romana has no record of the endpoint. Start the container again (E_ENDPOINT_UNKNOWN)',
    )
  })

  it('after a Leave makes the links anew', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('Join')
    await romana.callNetwork('Leave')
    expect(await romana.callNetwork('Join')).toMatchObject({ InterfaceName: { SrcName: 'rmp2' } })
    expect(showEndpoints(romana)).toBe(LINKS.replaceAll(/rm(ne|p)1/g, 'rm$12'))
    expect(await recordOf(romana.journal, '/endpoints/e1')).toContain('"joined":true,"linkNumber":2')
  })
})

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
