/** The records of both stores: their shapes, and their texts. A record that cannot be read is an error, never skipped. Pure. */
import * as v from 'valibot'
import { Cidr } from '../address/cidr.ts'
import { Ip } from '../address/ip.ts'
import { RomanaError, reasonOf } from '../errors.ts'
import {
  EndpointIdSchema,
  FieldNumberSchema,
  HostNumberSchema,
  NameSchema,
  NetworkIdSchema,
  NetworkNameSchema,
} from './ids.ts'
import type { Entry, Store } from './store.ts'

/** An address as people write it. */
export const ipText = v.pipe(
  v.string(),
  v.transform((text) => Ip.parse(text)),
)
/** A network as people write it. */
export const cidrText = v.pipe(
  v.string(),
  v.transform((text) => Cidr.parse(text)),
)

/** Directory. The plan, written once: every address in use follows from it. */
export const PlanRecord = v.object({
  ipv4: v.string(),
  ipv6: v.optional(v.string()),
  /** The instance of the host that is moving its own directory here. Others wait until it has done. */
  moving: v.optional(v.string()),
})
export type PlanRecord = v.InferOutput<typeof PlanRecord>

/** Directory. */
export const TenantRecord = v.object({ name: NameSchema, number: FieldNumberSchema })
export type TenantRecord = v.InferOutput<typeof TenantRecord>

/** Directory. A number of a tenant, or of a segment of one tenant. A number without a record was never given out. */
export const NumberRecord = v.object({
  number: FieldNumberSchema,
  /** Who has it or, when it rests, had it last. */
  name: NameSchema,
  /** Given back: nobody else gets it for a while. The revision of the record says since when. */
  resting: v.boolean(),
})
export type NumberRecord = v.InferOutput<typeof NumberRecord>

/** Directory. */
export const SegmentRecord = v.object({
  tenant: NameSchema,
  tenantNumber: FieldNumberSchema,
  name: NameSchema,
  number: FieldNumberSchema,
})
export type SegmentRecord = v.InferOutput<typeof SegmentRecord>

/** Directory. A host that has a pool in a segment: the segment cannot be removed. */
export const SegmentHostRecord = v.object({ tenant: NameSchema, segment: NameSchema, host: HostNumberSchema })
export type SegmentHostRecord = v.InferOutput<typeof SegmentHostRecord>

/** Directory. A segment that is a Docker network on every host that lets Romana ask its engine. */
export const EverywhereRecord = v.object({
  tenant: NameSchema,
  segment: NameSchema,
  /** The name of the network. */
  network: NetworkNameSchema,
})
export type EverywhereRecord = v.InferOutput<typeof EverywhereRecord>

/** Journal. A cell in use here: one segment on this host. Several Docker networks may share it. */
export const PoolRecord = v.object({
  cell: cidrText,
  tenant: NameSchema,
  segment: NameSchema,
  /** How often the engine asked for the pool and did not release it. The networks in the cell hold it too. */
  uses: v.number(),
  /** The address given out last: those that nobody had yet go on behind it. */
  lastGiven: ipText,
})
export type PoolRecord = v.InferOutput<typeof PoolRecord>

/**
 * Journal. An address that is not simply free.
 * - `reserved`: the engine asked for it (RequestAddress) and has not made its endpoint yet
 * - `endpoint`: an endpoint has it
 * - `released`: the engine gave it back while its endpoint is still here; it goes with the endpoint
 * - `auxiliary`: kept for a network, as a gateway of the user's choice or an auxiliary address
 * - `resting`: given back; nobody gets it for a while
 */
export const AddressRecord = v.object({
  address: ipText,
  state: v.picklist(['reserved', 'endpoint', 'released', 'auxiliary', 'resting']),
  endpointId: v.optional(EndpointIdSchema),
})
export type AddressRecord = v.InferOutput<typeof AddressRecord>

const networkPool = {
  cell: cidrText,
  /** The next hop of the network's endpoints. */
  gateway: ipText,
  /** Addresses that no container of the network may get (--aux-address). */
  auxiliary: v.optional(v.array(ipText), []),
}
const NetworkPool = v.object(networkPool)
/** What a network has of one family. */
export type NetworkPool = v.InferOutput<typeof NetworkPool>

/** Journal, and a copy in the directory. A Docker network on this host. */
export const NetworkRecord = v.object({
  networkId: NetworkIdSchema,
  /** IPv4, or IPv6 in a network that has nothing else. */
  ...networkPool,
  /** IPv6 beside IPv4. */
  pool6: v.optional(NetworkPool),
  tenant: NameSchema,
  segment: NameSchema,
  internal: v.boolean(),
  /** Bytes; absent: that of the uplink. */
  mtu: v.optional(v.number()),
  /** Whether what leaves gets an address of the host; absent: as the plugin's setting says. The same in all networks of a segment. */
  nat: v.optional(v.boolean()),
})
export type NetworkRecord = v.InferOutput<typeof NetworkRecord>

/** Journal. A container's attachment to a network. */
export const EndpointRecord = v.object({
  endpointId: EndpointIdSchema,
  networkId: NetworkIdSchema,
  /** IPv4, or IPv6 in a network that has nothing else. */
  address: ipText,
  /** IPv6 beside IPv4. */
  address6: v.optional(ipText),
  /** Names both links of the endpoint; never used twice. */
  linkNumber: v.number(),
  /** Whether the links' names say "internal"; firewall rules go by them. */
  internal: v.boolean(),
  /** Between Join and Leave the endpoint has links and a route. Written before the kernel is changed. */
  joined: v.boolean(),
  /**
   * The container's namespace, as the engine names it in Join: the same for all endpoints of a container. Stays behind
   * Leave; absent until the endpoint gets links.
   */
  sandbox: v.optional(v.string()),
})
export type EndpointRecord = v.InferOutput<typeof EndpointRecord>

/** Journal. The variant of iptables that had Docker's chains when they were last seen. */
export const IptablesRecord = v.object({ variant: v.picklist(['nft', 'legacy']) })
export type IptablesRecord = v.InferOutput<typeof IptablesRecord>

type RecordSchema = v.GenericSchema<unknown, object>

/** A record with the revision it was read at. */
export interface Stored<T> {
  readonly record: T
  readonly revision: number
}

/** The text of a record. Addresses and prefixes are written as people write them. */
export function formatRecord(record: object): string {
  return JSON.stringify(record, (_key, value) =>
    value instanceof Ip || value instanceof Cidr ? String(value) : value,
  )
}

/** @throws RomanaError E_RECORD when the value does not have the shape. */
export function parseRecord<S extends RecordSchema>(schema: S, { key, value }: Entry): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(value))
  } catch (cause) {
    throw new RomanaError('E_RECORD', {
      cannot: `read the record "${key}"`,
      because: reasonOf(cause),
      remedy: 'It was written by another version or changed by hand: restore the store from a copy',
      cause,
    })
  }
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function getRecord<S extends RecordSchema>(
  store: Store,
  schema: S,
  key: string,
): Promise<Stored<v.InferOutput<S>> | undefined> {
  const entry = await store.get(key)
  return entry === undefined ? undefined : { record: parseRecord(schema, entry), revision: entry.revision }
}

/** All records whose key begins with `prefix`. @throws RomanaError E_STORE, E_RECORD */
export async function listRecords<S extends RecordSchema>(
  store: Store,
  schema: S,
  prefix: string,
): Promise<v.InferOutput<S>[]> {
  const { entries } = await store.list(prefix)
  return entries.map((entry) => parseRecord(schema, entry))
}

/** As {@link listRecords}, with the revision of each. @throws RomanaError E_STORE, E_RECORD */
export async function listStored<S extends RecordSchema>(
  store: Store,
  schema: S,
  prefix: string,
): Promise<{ readonly revision: number; readonly stored: Stored<v.InferOutput<S>>[] }> {
  const { revision, entries } = await store.list(prefix)
  const stored = entries.map((entry) => ({
    record: parseRecord(schema, entry),
    revision: entry.revision,
  }))
  return { revision, stored }
}
