/** What the network driver keeps in the journal: networks and endpoints. The directory gets its copy of them behind (`cluster/`). */
import type { Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import { PeerRecord } from '../store/host-records.ts'
import type { EndpointId, HostNumber, NetworkId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { PolicyRecord } from '../store/policy-records.ts'
import { EndpointPortsRecord } from '../store/port-records.ts'
import {
  type AddressRecord,
  EndpointRecord,
  formatRecord,
  getRecord,
  listRecords,
  NetworkRecord,
} from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'

export interface Stores {
  /** Read only, and only by the recovery of a journal that was lost. */
  readonly directory: Store
  readonly journal: Store
  /** This host's number. */
  readonly host: HostNumber
}

/**
 * The addresses that the network keeps from its containers are kept by the same transaction: they wait for no endpoint.
 * @throws RomanaError E_STORE
 */
export async function putNetwork({ journal }: Stores, network: NetworkRecord): Promise<void> {
  await journal.commit([
    { kind: 'put', key: journalKeys.network(network.networkId), value: formatRecord(network) },
    ...keptAddresses(network).map((address) => putAddress(address, 'auxiliary')),
  ])
}

/**
 * The addresses that only this network kept are free again. Not when the engine gives them back: it does so too when
 * another network that wanted the same gateway could not be made. Well when the network is gone already.
 * @throws RomanaError E_STORE, E_RECORD
 */
export async function removeNetwork(stores: Stores, networkId: NetworkId): Promise<void> {
  const networks = await listNetworks(stores)
  const stillKept = networks.filter((network) => network.networkId !== networkId).flatMap(keptAddresses)
  const removed = networks.filter((network) => network.networkId === networkId).flatMap(keptAddresses)
  const freed = removed.filter((address) => !stillKept.some((kept) => kept.equals(address)))
  await stores.journal.commit([
    { kind: 'remove', key: journalKeys.network(networkId) },
    ...freed.map((address) => putAddress(address, 'resting')),
  ])
}

/** What a network keeps from its containers, beside the addresses that nobody ever gets. */
function keptAddresses(network: NetworkRecord): Ip[] {
  return poolsOf(network).flatMap(({ cell, gateway, auxiliary }) =>
    [gateway, ...auxiliary].filter((address) => !address.equals(gatewayOf(cell))),
  )
}

function putAddress(address: Ip, state: AddressRecord['state']): Change {
  return { kind: 'put', key: journalKeys.address(address), value: formatRecord({ address, state }) }
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function findNetwork(
  { journal }: Stores,
  networkId: NetworkId,
): Promise<NetworkRecord | undefined> {
  return (await getRecord(journal, NetworkRecord, journalKeys.network(networkId)))?.record
}

/** @throws RomanaError E_NETWORK_UNKNOWN, E_STORE, E_RECORD */
export async function getNetwork(stores: Stores, networkId: NetworkId): Promise<NetworkRecord> {
  const network = await findNetwork(stores, networkId)
  if (network !== undefined) return network
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

/** The other hosts, as the directory had them last. @throws RomanaError E_STORE, E_RECORD */
export async function listPeers({ journal }: Stores): Promise<PeerRecord[]> {
  return listRecords(journal, PeerRecord, journalKeys.peers())
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function listEndpoints({ journal }: Stores): Promise<EndpointRecord[]> {
  return listRecords(journal, EndpointRecord, journalKeys.endpoints())
}

/** What endpoints publish. @throws RomanaError E_STORE, E_RECORD */
export async function listPorts({ journal }: Stores): Promise<EndpointPortsRecord[]> {
  return listRecords(journal, EndpointPortsRecord, journalKeys.ports())
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function listPolicies({ journal }: Stores): Promise<PolicyRecord[]> {
  return listRecords(journal, PolicyRecord, journalKeys.policies())
}
