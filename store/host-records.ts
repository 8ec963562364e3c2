/** The records of hosts: who they are, where they are, and what each knows of itself and of the others. Pure. */
import * as v from 'valibot'
import { EndpointIdSchema, HostNumberSchema, NameSchema, NetworkIdSchema } from './ids.ts'
import { ipText, PlanRecord } from './records.ts'

/** "02:42:c6:12:01:0b". */
const linkAddress = v.pipe(v.string(), v.toLowerCase(), v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/))

/** What tells a machine from another one that has a copy of its disk. Both may be unknown or empty. */
const machine = {
  /** Of its firmware (/sys/class/dmi/id/product_uuid). */
  productUuid: v.optional(v.string()),
  /** Of the links that lead to other machines, sorted. */
  linkAddresses: v.optional(v.array(linkAddress), []),
}

/** Where other hosts reach a host. */
const underlay = v.object({
  address: ipText,
  /** IPv6, of the same link and good on that link alone: what hosts on it route IPv6 to. */
  address6: v.optional(ipText),
  /** IPv6, of the same link: what a router routes IPv6 to. */
  globalAddress6: v.optional(ipText),
  /** Of the link that has the address. */
  linkAddress: v.optional(linkAddress),
})

/** Directory. A machine, its number, and where its prefix is reached. */
export const HostRecord = v.object({
  number: HostNumberSchema,
  machineId: v.string(),
  name: v.string(),
  /**
   * Made with the journal. Another one on the same machine: the journal was lost. The same one on another machine: a copied
   * disk. Empty in records of releases that knew one host only.
   */
  instanceId: v.optional(v.string(), ''),
  ...machine,
  /** Absent on a single host. */
  underlay: v.optional(underlay),
  /** Nobody routes to it any more, and its number rests. */
  removed: v.optional(v.boolean(), false),
})
export type HostRecord = v.InferOutput<typeof HostRecord>

/** Journal. What this host was told when it joined: with it containers start while the directory is away. */
export const MembershipRecord = v.object({
  instanceId: v.string(),
  host: HostNumberSchema,
  plan: PlanRecord,
  ...machine,
  /** Whether the directory is one that several hosts share. */
  isShared: v.optional(v.boolean(), false),
})
export type MembershipRecord = v.InferOutput<typeof MembershipRecord>

/** Journal. Another host, as far as routes and rules need it: a copy of what the directory said last. */
export const PeerRecord = v.object({ number: HostNumberSchema, ...underlay.entries })
export type PeerRecord = v.InferOutput<typeof PeerRecord>

/** Directory, with a lease. A plugin that runs. It says how a host is, and never whose something is. */
export const SessionRecord = v.object({
  host: HostNumberSchema,
  instanceId: v.string(),
  /** Made with the process. */
  sessionId: v.string(),
})
export type SessionRecord = v.InferOutput<typeof SessionRecord>

/** Directory. A host's endpoint, for people and tools to look up. The host's journal is the truth of which it is a copy. */
export const HostEndpointRecord = v.object({
  host: HostNumberSchema,
  endpointId: EndpointIdSchema,
  networkId: NetworkIdSchema,
  tenant: NameSchema,
  segment: NameSchema,
  address: ipText,
  /** IPv6 beside IPv4. */
  address6: v.optional(ipText),
  /** Known where the plugin may ask the engine. */
  container: v.optional(v.object({ id: v.string(), name: v.string() })),
})
export type HostEndpointRecord = v.InferOutput<typeof HostEndpointRecord>
