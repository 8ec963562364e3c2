/**
 * Every method of both drivers (moby, daemon/libnetwork/drivers/remote/api and ipams/remote/api), as an engine calls it
 * in the life of a network n1 and its container's endpoint e1.
 */

export interface ProtocolCall {
  readonly method: string
  /** Absent for a method without arguments. */
  readonly body?: object
}

const NAMES = { NetworkID: 'n1', EndpointID: 'e1' }
const PORTS = {
  'com.docker.network.endpoint.exposedports': [{ Proto: 6, Port: 80 }],
  'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostPort: 8081, HostPortEnd: 8081 }],
}
const POOL = { PoolID: '10.1.33.0/24,green,web' }
const IPV4 = {
  AddressSpace: 'RomanaLocal',
  Pool: '10.1.33.0/24',
  Gateway: '10.1.33.1/24',
  AuxAddresses: {},
}
const NODE = { DiscoveryType: 1, DiscoveryData: { Address: '192.0.2.1', BindAddress: '', Self: true } }

/** In the order of an engine. Tenant green and its segment are there already, without a network. */
export const LIFE: readonly ProtocolCall[] = [
  { method: 'Plugin.Activate' },
  { method: 'NetworkDriver.GetCapabilities' },
  { method: 'IpamDriver.GetCapabilities' },
  { method: 'IpamDriver.GetDefaultAddressSpaces' },
  { method: 'NetworkDriver.DiscoverNew', body: NODE },
  {
    method: 'IpamDriver.RequestPool',
    body: {
      AddressSpace: 'RomanaLocal',
      Pool: '',
      SubPool: '',
      Options: { tenant: 'green', segment: 'web' },
      V6: false,
    },
  },
  {
    method: 'IpamDriver.RequestAddress',
    body: { ...POOL, Address: '', Options: { RequestAddressType: 'com.docker.network.gateway' } },
  },
  {
    method: 'NetworkDriver.AllocateNetwork',
    body: { NetworkID: 'n1', Options: {}, IPv4Data: [IPV4], IPv6Data: null },
  },
  {
    method: 'NetworkDriver.CreateNetwork',
    body: {
      NetworkID: 'n1',
      Options: { 'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {} },
      IPv4Data: [IPV4],
      IPv6Data: [],
    },
  },
  { method: 'IpamDriver.RequestAddress', body: { ...POOL, Address: '10.1.33.2', Options: null } },
  {
    method: 'NetworkDriver.CreateEndpoint',
    body: {
      ...NAMES,
      Interface: { Address: '10.1.33.2/32', AddressIPv6: '', MacAddress: '' },
      Options: PORTS,
    },
  },
  {
    method: 'NetworkDriver.Join',
    body: { ...NAMES, SandboxKey: '/var/run/docker/netns/c1', Options: PORTS },
  },
  { method: 'NetworkDriver.ProgramExternalConnectivity', body: { ...NAMES, Options: PORTS } },
  { method: 'NetworkDriver.EndpointOperInfo', body: NAMES },
  { method: 'NetworkDriver.RevokeExternalConnectivity', body: NAMES },
  { method: 'NetworkDriver.Leave', body: NAMES },
  { method: 'NetworkDriver.DeleteEndpoint', body: NAMES },
  { method: 'IpamDriver.ReleaseAddress', body: { ...POOL, Address: '10.1.33.2' } },
  { method: 'IpamDriver.ReleasePool', body: POOL },
  { method: 'NetworkDriver.DeleteNetwork', body: { NetworkID: 'n1' } },
  { method: 'NetworkDriver.FreeNetwork', body: { NetworkID: 'n1' } },
  { method: 'NetworkDriver.DiscoverDelete', body: NODE },
]

/** The names of all methods, each once. */
export const METHOD_NAMES: readonly string[] = [...new Set(LIFE.map(({ method }) => method))]

const UNKNOWN = { NetworkID: 'n5', EndpointID: 'e5' }
const NO_NETWORK =
  '500 Cannot use the network "n5": Romana has no record of it. Remove the network and create it again (E_NETWORK_UNKNOWN)'
const NO_ENDPOINT = 'Romana has no record of the endpoint. Start the container again (E_ENDPOINT_UNKNOWN)'

function unknownPool(PoolID: string): string {
  return `500 Cannot find the pool "${PoolID}": it is not the id of a pool that this driver has given out (E_POOL_UNKNOWN)`
}

/** Calls for what was never there, with their answers. Network n0 and its endpoint e0 are. */
export const STRANGERS: readonly (readonly [ProtocolCall, string])[] = [
  [
    {
      method: 'NetworkDriver.CreateNetwork',
      body: { NetworkID: 'n5', Options: {}, IPv4Data: [IPV4], IPv6Data: [] },
    },
    '500 Cannot make a network of the pool 10.1.33.0/24: the Romana IPAM driver has not given it out. Create the network again (E_POOL_UNKNOWN)',
  ],
  [
    {
      method: 'NetworkDriver.CreateEndpoint',
      body: { ...UNKNOWN, Interface: { Address: '10.1.17.3/32' }, Options: PORTS },
    },
    NO_NETWORK,
  ],
  [{ method: 'NetworkDriver.Join', body: { ...UNKNOWN, SandboxKey: 'c5', Options: PORTS } }, NO_NETWORK],
  [
    { method: 'NetworkDriver.Join', body: { ...UNKNOWN, NetworkID: 'n0', SandboxKey: 'c5', Options: PORTS } },
    `500 Cannot join endpoint "e5" to network "n0": ${NO_ENDPOINT}`,
  ],
  [
    { method: 'NetworkDriver.ProgramExternalConnectivity', body: { ...UNKNOWN, Options: PORTS } },
    `500 Cannot publish ports of endpoint "e5": ${NO_ENDPOINT}`,
  ],
  [{ method: 'NetworkDriver.ProgramExternalConnectivity', body: { ...UNKNOWN, Options: {} } }, '200 {}'],
  [{ method: 'NetworkDriver.EndpointOperInfo', body: UNKNOWN }, '200 {"Value":{}}'],
  [{ method: 'NetworkDriver.RevokeExternalConnectivity', body: UNKNOWN }, '200 {}'],
  [{ method: 'NetworkDriver.Leave', body: UNKNOWN }, '200 {}'],
  [{ method: 'NetworkDriver.DeleteEndpoint', body: UNKNOWN }, '200 {}'],
  [{ method: 'NetworkDriver.DeleteNetwork', body: { NetworkID: 'n5' } }, '200 {}'],
  ...['AllocateNetwork', 'FreeNetwork'].map(
    (name) =>
      [
        { method: `NetworkDriver.${name}`, body: { NetworkID: 'n5' } },
        `404 Cannot answer NetworkDriver.${name}: Romana has no such method (E_METHOD)`,
      ] as const,
  ),
  [
    { method: 'IpamDriver.RequestAddress', body: { PoolID: 'pool-5', Address: '', Options: null } },
    unknownPool('pool-5'),
  ],
  [{ method: 'IpamDriver.ReleasePool', body: { PoolID: 'pool-5' } }, unknownPool('pool-5')],
  [{ method: 'IpamDriver.ReleasePool', body: { PoolID: '10.1.49.0/24,red,web' } }, '200 {}'],
  [{ method: 'IpamDriver.ReleaseAddress', body: { PoolID: 'pool-5', Address: '10.1.17.9' } }, '200 {}'],
  [{ method: 'IpamDriver.ReleaseAddress', body: { ...POOL, Address: '10.1.33.2' } }, '200 {}'],
]
