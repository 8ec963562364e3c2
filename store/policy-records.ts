/** The records of policies: what somebody has written, with the numbers of the tenants and segments that it names. Pure. */
import * as v from 'valibot'
import { FieldNumberSchema, NameSchema, PolicyNameSchema } from './ids.ts'
import { cidrText } from './records.ts'

const numbered = v.object({ name: NameSchema, number: FieldNumberSchema })

/** A whole tenant, or one segment of it. */
export const PolicyParty = v.object({ tenant: numbered, segment: v.optional(numbered) })
export type PolicyParty = v.InferOutput<typeof PolicyParty>

/** Who may be on the other side. */
export const PolicyPeer = v.variant('kind', [
  v.object({ kind: v.literal('any') }),
  /** The host that the endpoint is on. */
  v.object({ kind: v.literal('host') }),
  v.object({ kind: v.literal('cidr'), cidr: cidrText, except: v.array(cidrText) }),
  v.object({ kind: v.literal('party'), ...PolicyParty.entries }),
])
export type PolicyPeer = v.InferOutput<typeof PolicyPeer>

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535))

/** What may pass. Without ports every port, without types every type. */
export const PolicyRule = v.variant('protocol', [
  v.object({ protocol: v.literal('any') }),
  v.object({
    protocol: v.picklist(['tcp', 'udp']),
    ports: v.array(v.object({ first: port, last: port })),
  }),
  /** That of IPv4, and that of IPv6. */
  v.object({ protocol: v.picklist(['icmp', 'icmp6']), types: v.array(v.number()) }),
])
export type PolicyRule = v.InferOutput<typeof PolicyRule>

/** Directory, and a copy in each journal. The tenants and segments that it names cannot be removed as long as it is there. */
export const PolicyRecord = v.object({
  name: PolicyNameSchema,
  description: v.optional(v.string()),
  direction: v.picklist(['ingress', 'egress']),
  /** Nothing passes in this direction but what a policy allows. */
  isDefaultDeny: v.boolean(),
  appliesTo: v.array(PolicyParty),
  peers: v.array(PolicyPeer),
  rules: v.array(PolicyRule),
})
export type PolicyRecord = v.InferOutput<typeof PolicyRecord>
