/** The methods of the protocol, by name: what each reads, and what does it. */
import * as v from 'valibot'
import { GLOBAL_ADDRESS_SPACE, LOCAL_ADDRESS_SPACE } from '../address/address-spaces.ts'
import type { IpamDriver } from '../ipam-driver/driver.ts'
import * as ipam from '../ipam-driver/wire.ts'
import type { NetworkDriver } from '../network-driver/driver.ts'
import * as network from '../network-driver/wire.ts'

/** The drivers, once recovery is done. */
export interface Drivers {
  readonly ipam: IpamDriver
  readonly network: NetworkDriver
}

/** One method. Without arguments it comes with an empty body, and is answered before recovery is done. */
export type Method =
  | { readonly kind: 'constant'; readonly answer: object }
  | { readonly kind: 'call'; readonly call: Call }

/** @param driverName by which the engine called. */
type Call = (drivers: Drivers, body: unknown, driverName: string) => Promise<object>

/** @throws v.ValiError when the body does not have the shape. */
function call<S extends v.GenericSchema>(
  schema: S,
  handle: (drivers: Drivers, request: v.InferOutput<S>, driverName: string) => Promise<object>,
): Method {
  return {
    kind: 'call',
    call: async (drivers, body, driverName) => handle(drivers, v.parse(schema, body), driverName),
  }
}

const anyRequest = v.record(v.string(), v.unknown())
const nothing = () => Promise.resolve({})

export const METHODS: Readonly<Record<string, Method>> = {
  'Plugin.Activate': { kind: 'constant', answer: { Implements: ['NetworkDriver', 'IpamDriver'] } },

  // Networks are known to one host, addresses are reachable from all.
  'NetworkDriver.GetCapabilities': {
    kind: 'constant',
    answer: { Scope: 'local', ConnectivityScope: 'global', GwAllocChecker: false },
  },
  'NetworkDriver.CreateNetwork': call(network.CreateNetworkRequest, (to, request, driverName) =>
    to.network.createNetwork(request, driverName),
  ),
  'NetworkDriver.DeleteNetwork': call(network.NetworkRequest, async (to, request) => {
    try {
      return await to.network.deleteNetwork(request)
    } finally {
      await to.ipam.forgetUnusedPools()
    }
  }),
  'NetworkDriver.CreateEndpoint': call(network.CreateEndpointRequest, (to, request) =>
    to.network.createEndpoint(request),
  ),
  'NetworkDriver.DeleteEndpoint': call(network.EndpointRequest, (to, request) =>
    to.network.deleteEndpoint(request),
  ),
  'NetworkDriver.Join': call(network.JoinRequest, (to, request) => to.network.join(request)),
  'NetworkDriver.Leave': call(network.EndpointRequest, (to, request) => to.network.leave(request)),
  // An error here, even for an unknown endpoint, would fail the container's start on 20.10.
  'NetworkDriver.EndpointOperInfo': call(network.EndpointRequest, (to, request) =>
    to.network.endpointOperInfo(request),
  ),
  'NetworkDriver.ProgramExternalConnectivity': call(network.ProgramRequest, (to, request) =>
    to.network.programExternalConnectivity(request),
  ),
  'NetworkDriver.RevokeExternalConnectivity': call(network.EndpointRequest, (to, request) =>
    to.network.revokeExternalConnectivity(request),
  ),
  'NetworkDriver.DiscoverNew': call(anyRequest, nothing),
  'NetworkDriver.DiscoverDelete': call(anyRequest, nothing),

  // All is journaled: nothing needs to be asked again, and no address depends on a MAC.
  'IpamDriver.GetCapabilities': {
    kind: 'constant',
    answer: { RequiresMACAddress: false, RequiresRequestReplay: false },
  },
  'IpamDriver.GetDefaultAddressSpaces': {
    kind: 'constant',
    answer: {
      LocalDefaultAddressSpace: LOCAL_ADDRESS_SPACE,
      GlobalDefaultAddressSpace: GLOBAL_ADDRESS_SPACE,
    },
  },
  'IpamDriver.RequestPool': call(ipam.RequestPoolRequest, (to, request) => to.ipam.requestPool(request)),
  'IpamDriver.ReleasePool': call(ipam.ReleasePoolRequest, (to, request) => to.ipam.releasePool(request)),
  'IpamDriver.RequestAddress': call(ipam.RequestAddressRequest, (to, request) =>
    to.ipam.requestAddress(request),
  ),
  'IpamDriver.ReleaseAddress': call(ipam.ReleaseAddressRequest, (to, request) =>
    to.ipam.releaseAddress(request),
  ),
}
