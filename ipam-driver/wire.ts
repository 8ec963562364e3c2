/**
 * The requests of IpamDriver.*, as the engine sends them (moby, daemon/libnetwork/ipams/remote/api). Absent texts come
 * as "", absent maps as null. Pure.
 */
import * as v from 'valibot'

/** "" stands for absent. */
const optionalText = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text): string | undefined => (text === '' ? undefined : text)),
)
const options = v.nullish(v.record(v.string(), v.string()), {})

export const RequestPoolRequest = v.object({
  AddressSpace: v.string(),
  Pool: optionalText,
  SubPool: optionalText,
  Options: options,
  V6: v.optional(v.boolean(), false),
})
export type RequestPoolRequest = v.InferOutput<typeof RequestPoolRequest>

export const ReleasePoolRequest = v.object({ PoolID: v.string() })
export type ReleasePoolRequest = v.InferOutput<typeof ReleasePoolRequest>

export const RequestAddressRequest = v.object({ PoolID: v.string(), Address: optionalText, Options: options })
export type RequestAddressRequest = v.InferOutput<typeof RequestAddressRequest>

export const ReleaseAddressRequest = v.object({ PoolID: v.string(), Address: v.string() })
export type ReleaseAddressRequest = v.InferOutput<typeof ReleaseAddressRequest>

/** Keys of options and data (moby, daemon/libnetwork/ipamapi and netlabel). */
export const REQUEST_ADDRESS_TYPE = 'RequestAddressType'
export const GATEWAY = 'com.docker.network.gateway'
