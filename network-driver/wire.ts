/**
 * The requests and answers of NetworkDriver.*, as the engine sends and reads them (moby,
 * daemon/libnetwork/drivers/remote/api). Absent texts come as "". Pure.
 */
import * as v from 'valibot'
import { EndpointIdSchema, NetworkIdSchema } from '../store/ids.ts'

const anyOptions = v.nullish(v.record(v.string(), v.unknown()), {})

const PoolData = v.object({
  AddressSpace: v.optional(v.string(), ''),
  Pool: v.optional(v.string(), ''),
  /** An address with a prefix length. */
  Gateway: v.optional(v.string(), ''),
  /** Of --aux-address: names to addresses with a prefix length. */
  AuxAddresses: v.nullish(v.record(v.string(), v.string()), {}),
})

export type PoolData = v.InferOutput<typeof PoolData>

export const CreateNetworkRequest = v.object({
  NetworkID: NetworkIdSchema,
  Options: anyOptions,
  IPv4Data: v.nullish(v.array(PoolData), []),
  IPv6Data: v.nullish(v.array(PoolData), []),
})
export type CreateNetworkRequest = v.InferOutput<typeof CreateNetworkRequest>

export const NetworkRequest = v.object({ NetworkID: NetworkIdSchema })
export type NetworkRequest = v.InferOutput<typeof NetworkRequest>

export const EndpointRequest = v.object({ NetworkID: NetworkIdSchema, EndpointID: EndpointIdSchema })
export type EndpointRequest = v.InferOutput<typeof EndpointRequest>

export const JoinRequest = v.object({ ...EndpointRequest.entries, SandboxKey: v.string() })
export type JoinRequest = v.InferOutput<typeof JoinRequest>

export const ProgramRequest = v.object({ ...EndpointRequest.entries, Options: anyOptions })
export type ProgramRequest = v.InferOutput<typeof ProgramRequest>

export const CreateEndpointRequest = v.object({
  NetworkID: NetworkIdSchema,
  EndpointID: EndpointIdSchema,
  Interface: v.nullish(
    v.object({
      Address: v.optional(v.string(), ''),
      AddressIPv6: v.optional(v.string(), ''),
      MacAddress: v.optional(v.string(), ''),
    }),
    {},
  ),
  Options: anyOptions,
})
export type CreateEndpointRequest = v.InferOutput<typeof CreateEndpointRequest>

/** Keys of option maps (moby, daemon/libnetwork/netlabel). */
export const NETLABEL = {
  generic: 'com.docker.network.generic',
  internal: 'com.docker.network.internal',
  mtu: 'com.docker.network.driver.mtu',
  portMap: 'com.docker.network.portmap',
  ipv6Elsewhere: 'com.docker.network.driver.private.no_proxy_6to4',
} as const

/** How the engine adds a route in the container: by a next hop, or on the link. */
export const ROUTE_TYPE = { nextHop: 0, connected: 1 } as const

export interface JoinAnswer {
  readonly InterfaceName: { readonly SrcName: string; readonly DstPrefix: string }
  readonly Gateway?: string
  readonly GatewayIPv6?: string
  readonly StaticRoutes: readonly {
    readonly Destination: string
    readonly RouteType: number
    readonly NextHop: string
  }[]
}
