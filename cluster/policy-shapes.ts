/** The form of a document of policies. What its parts say together is judged elsewhere. Pure. */
import * as v from 'valibot'
import { Cidr } from '../address/cidr.ts'
import { reasonOf } from '../errors.ts'
import { type Name, NameSchema, PolicyNameSchema } from '../store/ids.ts'

/** A whole tenant, or one segment of it. */
export interface DocumentParty {
  readonly tenant: Name
  readonly segment?: Name | undefined
}

/** So many of anything in one list: the tenants and segments of a policy must fit one transaction of the directory. */
const LIST_LIMIT = 60
const listOf = <S extends v.GenericSchema>(item: S) =>
  v.pipe(v.array(item), v.maxLength(LIST_LIMIT, `has more than ${LIST_LIMIT} entries`))

const party = { tenant: NameSchema, segment: v.optional(NameSchema) }

const cidr = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return Cidr.parse(dataset.value)
    } catch (error) {
      addIssue({ message: reasonOf(error) })
    }
    return NEVER
  }),
)

const peer = v.strictObject({
  peer: v.optional(v.picklist(['any', 'host'])),
  cidr: v.optional(cidr),
  except: v.optional(listOf(cidr)),
  tenant: v.optional(NameSchema),
  segment: v.optional(NameSchema),
})
export type PeerShape = v.InferOutput<typeof peer>

const rule = v.strictObject({
  protocol: v.picklist(['tcp', 'udp', 'icmp', 'icmp6', 'any']),
  ports: v.optional(listOf(v.union([v.number(), v.string()]))),
  types: v.optional(listOf(v.number())),
})
export type RuleShape = v.InferOutput<typeof rule>

const policy = v.strictObject({
  name: PolicyNameSchema,
  description: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
  direction: v.picklist(['ingress', 'egress']),
  appliesTo: v.pipe(listOf(v.strictObject(party)), v.minLength(1, 'names no tenant and no segment')),
  default: v.optional(v.literal('deny')),
  peers: v.optional(listOf(peer), []),
  rules: v.optional(listOf(rule), []),
})
export type PolicyShape = v.InferOutput<typeof policy>

export const PolicyDocument = v.strictObject({
  policies: v.pipe(v.array(policy), v.minLength(1, 'has no policy')),
})
