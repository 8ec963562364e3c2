/** What the network driver keeps: networks and endpoints in the journal, and a copy of the networks in the directory. */
import { RomanaError } from '../errors.ts'
import type { EndpointId, HostNumber, NetworkId } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { EndpointRecord, formatRecord, getRecord, listRecords, NetworkRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'

export interface Stores {
  readonly directory: Store
  readonly journal: Store
  /** This host's number. */
  readonly host: HostNumber
}

/** The journal first: it is the truth. The copy serves a host whose journal was lost. @throws RomanaError E_STORE */
export async function putNetwork(
  { directory, journal, host }: Stores,
  network: NetworkRecord,
): Promise<void> {
  const value = formatRecord(network)
  await journal.commit([{ kind: 'put', key: journalKeys.network(network.networkId), value }])
  await directory.commit([{ kind: 'put', key: directoryKeys.hostNetwork(host, network.networkId), value }])
}

/** Well when it is gone already. @throws RomanaError E_STORE */
export async function removeNetwork(
  { directory, journal, host }: Stores,
  networkId: NetworkId,
): Promise<void> {
  await directory.commit([{ kind: 'remove', key: directoryKeys.hostNetwork(host, networkId) }])
  await journal.commit([{ kind: 'remove', key: journalKeys.network(networkId) }])
}

/** @throws RomanaError E_NETWORK_UNKNOWN, E_STORE, E_RECORD */
export async function getNetwork({ journal }: Stores, networkId: NetworkId): Promise<NetworkRecord> {
  const stored = await getRecord(journal, NetworkRecord, journalKeys.network(networkId))
  if (stored !== undefined) return stored.record
  throw new RomanaError('E_NETWORK_UNKNOWN', {
    cannot: `use the network "${networkId}"`,
    because: 'Romana has no record of it',
    remedy: 'Remove the network and create it again',
  })
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function getEndpoint(
  { journal }: Stores,
  endpointId: EndpointId,
): Promise<EndpointRecord | undefined> {
  return (await getRecord(journal, EndpointRecord, journalKeys.endpoint(endpointId)))?.record
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function listNetworks({ journal }: Stores): Promise<NetworkRecord[]> {
  return listRecords(journal, NetworkRecord, journalKeys.networks())
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function listEndpoints({ journal }: Stores): Promise<EndpointRecord[]> {
  return listRecords(journal, EndpointRecord, journalKeys.endpoints())
}
