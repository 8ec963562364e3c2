/** Names and ids, checked once at the edge and branded. Pure. */
import * as v from 'valibot'

/** Docker's ids: 64 hexadecimal digits, or 25 letters and digits for networks of a swarm. Opaque otherwise. */
const id = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9]{1,64}$/, 'must be 1 to 64 letters and digits'))

export const NetworkIdSchema = v.pipe(id, v.brand('NetworkId'))
export type NetworkId = v.InferOutput<typeof NetworkIdSchema>

/** The name of a Docker network, as the engine allows it (moby, daemon/names). */
export const NetworkNameSchema = v.pipe(
  v.string(),
  v.regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/,
    'must be letters, digits, "_", "." and "-", and begin with a letter or digit',
  ),
  v.brand('NetworkName'),
)
export type NetworkName = v.InferOutput<typeof NetworkNameSchema>

export const EndpointIdSchema = v.pipe(id, v.brand('EndpointId'))
export type EndpointId = v.InferOutput<typeof EndpointIdSchema>

/** How long a tenant's or segment's name may be: two of them must fit a link's alias beside two ids and an address. */
export const NAME_LIMIT = 32

/** A tenant's or segment's name. It becomes part of store keys, pool ids and link aliases. */
export const NameSchema = v.pipe(
  v.string(),
  v.regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}$/,
    `must be 1 to ${NAME_LIMIT} letters, digits, "_", "." and "-", and begin with a letter or digit`,
  ),
  v.brand('Name'),
)
export type Name = v.InferOutput<typeof NameSchema>

/** A policy's name. It becomes part of a store key. */
export const PolicyNameSchema = v.pipe(
  v.string(),
  v.regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/,
    'must be 1 to 63 letters, digits, "_", "." and "-", and begin with a letter or digit',
  ),
  v.brand('PolicyName'),
)
export type PolicyName = v.InferOutput<typeof PolicyNameSchema>

const AUTOMATIC = /^auto-\d+$/

/** The name of an automatic segment, which is made for a network without options. Nobody else can give such a name. */
export function automaticName(number: FieldNumber): Name {
  return v.parse(NameSchema, `auto-${number}`)
}

/** Whether the segment of this name is an automatic one, which goes with its network. */
export function isAutomaticName(name: Name): boolean {
  return AUTOMATIC.test(name)
}

/** A host's number in the plan. */
export const HostNumberSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.brand('HostNumber'))
export type HostNumber = v.InferOutput<typeof HostNumberSchema>

/** A tenant's or segment's number in the plan. */
export const FieldNumberSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.brand('FieldNumber'))
export type FieldNumber = v.InferOutput<typeof FieldNumberSchema>
