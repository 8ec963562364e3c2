/** What the directory shall have of this host, from the records of its journal. Pure. */
import * as v from 'valibot'
import { HostEndpointRecord } from '../store/host-records.ts'
import type { HostNumber, NetworkId } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { EndpointRecord, formatRecord, NetworkRecord, parseRecord } from '../store/records.ts'
import type { Change, Entry } from '../store/store.ts'

export type Copy = [key: string, value: string]

/** Texts by their key in the directory. */
export type Copies = ReadonlyMap<string, string>

/** A container, as people call it. */
export interface ContainerName {
  readonly id: string
  readonly name: string
}

/** Which container has an endpoint, by the endpoint's id; undefined when it is not known. */
export type ContainerOf = (endpointId: string) => ContainerName | undefined

export interface CopyParts {
  readonly host: HostNumber
  readonly containerOf: ContainerOf
  /** The directory has them. A container that is not known now may have been when its copy was written. */
  readonly present: Copies
}

/**
 * The copies of all networks and endpoints. An endpoint whose network has no record has no copy.
 * @throws RomanaError E_RECORD
 */
export function copiesOf(
  parts: CopyParts,
  networks: readonly Entry[],
  endpoints: readonly Entry[],
): Map<string, string> {
  const copies = new Map<string, string>()
  const records = new Map<NetworkId, NetworkRecord>()
  for (const entry of networks) {
    const network = parseRecord(NetworkRecord, entry)
    records.set(network.networkId, network)
    copies.set(...networkCopy(parts.host, network))
  }
  for (const entry of endpoints) {
    const endpoint = parseRecord(EndpointRecord, entry)
    const network = records.get(endpoint.networkId)
    if (network === undefined) continue
    copies.set(...endpointCopy(parts, endpoint, network))
  }
  return copies
}

/** Key and text of a network's copy. */
export function networkCopy(host: HostNumber, network: NetworkRecord): Copy {
  return [directoryKeys.hostNetwork(host, network.networkId), formatRecord(network)]
}

/** Key and text of an endpoint's copy. */
export function endpointCopy(
  { host, containerOf, present }: CopyParts,
  { endpointId, networkId, address, address6 }: EndpointRecord,
  { tenant, segment }: NetworkRecord,
): Copy {
  const key = directoryKeys.hostEndpoint(host, endpointId)
  const container = containerOf(endpointId) ?? containerIn(present.get(key))
  const record = { host, endpointId, networkId, tenant, segment, address, address6, container }
  return [key, formatRecord(record)]
}

/** What makes the directory have `wanted` of what it has, in the order of removals and keys. */
export function changesBetween(present: Copies, wanted: Copies): Change[] {
  const removed = [...present.keys()].filter((key) => !wanted.has(key))
  const written = [...wanted].filter(([key, value]) => present.get(key) !== value)
  return [
    ...removed.map((key): Change => ({ kind: 'remove', key })),
    ...written.map(([key, value]): Change => ({ kind: 'put', key, value })),
  ]
}

/** Whether a key of the journal is of something that the directory has a copy of. */
export function isCopied(journalKey: string): boolean {
  return [journalKeys.networks(), journalKeys.endpoints()].some((prefix) => journalKey.startsWith(prefix))
}

/** A copy that cannot be read is written anew. */
function containerIn(value: string | undefined): ContainerName | undefined {
  if (value === undefined) return undefined
  try {
    return v.parse(HostEndpointRecord, JSON.parse(value)).container
  } catch {
    return undefined
  }
}
