/** Before the first answer: what the kernel and the directory know and the journal does not is written to the journal. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import {
  formatRecord,
  listRecords,
  NetworkRecord,
  type SegmentRecord,
  type TenantRecord,
} from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import { type AdoptedEndpoint, findLiveEndpoints } from './adoption.ts'
import { listEndpoints, listNetworks, putNetwork, type Stores } from './records.ts'

/** What recovery brought back, for the log. */
export interface Recovered {
  readonly networks: number
  readonly endpoints: number
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function recoverJournal(
  stores: Stores,
  seen: ObservedHost,
  plan: AddressPlan,
): Promise<Recovered> {
  const networks = await recoverNetworks(stores)
  const known = new Set<string>((await listEndpoints(stores)).map(({ endpointId }) => endpointId))
  const adopted = findLiveEndpoints(seen, plan, known)
  for (const endpoint of adopted) await adopt(stores, endpoint)
  return { networks, endpoints: adopted.length }
}

/** Both copies of the networks end up with what either has. */
async function recoverNetworks(stores: Stores): Promise<number> {
  const inJournal = await listNetworks(stores)
  const inDirectory = await listRecords(
    stores.directory,
    NetworkRecord,
    directoryKeys.hostNetworks(stores.host),
  )
  const known = new Set<string>(inJournal.map(({ networkId }) => networkId))
  const lost = inDirectory.filter(({ networkId }) => !known.has(networkId))
  for (const network of [...inJournal, ...lost]) await putNetwork(stores, network)
  return lost.length
}

/** Creates what is missing and changes nothing that is there. */
async function adopt(stores: Stores, { endpoint, network, segment }: AdoptedEndpoint): Promise<void> {
  const { directory, journal, host } = stores
  const networkValue = formatRecord(network)
  await createEach(journal, [
    { kind: 'create', key: journalKeys.network(network.networkId), value: networkValue },
    { kind: 'create', key: journalKeys.endpoint(endpoint.endpointId), value: formatRecord(endpoint) },
  ])
  const address = { address: endpoint.address, state: 'endpoint', endpointId: endpoint.endpointId }
  await journal.commit([
    { kind: 'put', key: journalKeys.address(endpoint.address), value: formatRecord(address) },
  ])
  await createEach(directory, [
    { kind: 'create', key: directoryKeys.hostNetwork(host, network.networkId), value: networkValue },
  ])
  await adoptSegment(directory, segment)
}

async function adoptSegment(directory: Store, segment: SegmentRecord): Promise<void> {
  const { tenant, tenantNumber, name, number } = segment
  const tenantRecord: TenantRecord = { name: tenant, number: tenantNumber, lastAutomatic: number }
  await directory.commit([
    { kind: 'create', key: directoryKeys.tenant(tenant), value: formatRecord(tenantRecord) },
    { kind: 'create', key: directoryKeys.tenantNumber(tenantNumber), value: tenant },
  ])
  await directory.commit([
    { kind: 'create', key: directoryKeys.segment(tenant, name), value: formatRecord(segment) },
    { kind: 'create', key: directoryKeys.segmentNumber(tenant, number), value: name },
  ])
}

async function createEach(store: Store, changes: readonly Change[]): Promise<void> {
  for (const change of changes) await store.commit([change])
}
