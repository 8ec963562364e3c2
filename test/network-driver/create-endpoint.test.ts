import { describe, expect, it } from 'vitest'
import { CREATE, startWithNetwork, tenTimes } from './endpoint-steps.ts'
import { recordOf, showEndpoints, takenIn } from './romana-steps.ts'

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
      'with a port on what is no address',
      { Options: { 'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostIP: 'here', HostPort: 8080 }] } },
      'Cannot publish port 80/tcp: Cannot read the address "here": it is neither an IPv4 address such as 10.1.17.5 nor an IPv6',
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
