/** Before the first answer: what the kernel and the directory know and the journal does not is written to the journal. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import {
  formatRecord,
  listRecords,
  NetworkRecord,
  type PoolRecord,
  type SegmentRecord,
  type TenantRecord,
} from '../store/records.ts'
import { create, type Store } from '../store/store.ts'
import { type AdoptedEndpoint, findLiveEndpoints } from './adoption.ts'
import { findNetwork, listEndpoints, listNetworks, putNetwork, type Stores } from './records.ts'

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
  await recoverPools(stores)
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

/** Adds what is missing and changes nothing that is there. */
async function adopt(stores: Stores, { endpoint, network, segment }: AdoptedEndpoint): Promise<void> {
  const { directory, journal } = stores
  const { endpointId, address } = endpoint
  if ((await findNetwork(stores, network.networkId)) === undefined) await putNetwork(stores, network)
  await journal.commit([
    { kind: 'put', key: journalKeys.endpoint(endpointId), value: formatRecord(endpoint) },
    {
      kind: 'put',
      key: journalKeys.address(address),
      value: formatRecord({ address, state: 'endpoint', endpointId }),
    },
  ])
  await adoptSegment(directory, segment)
}

/** Each network holds the pool of its cell, so that the pool goes with the last of them. */
async function recoverPools(stores: Stores): Promise<void> {
  const networks = await listNetworks(stores)
  for (const { cell, tenant, segment } of networks) {
    const uses = networks.filter((network) => network.cell.equals(cell)).length
    const pool: PoolRecord = { cell, tenant, segment, uses, lastGiven: cell.network }
    await create(stores.journal, journalKeys.pool(cell), formatRecord(pool))
  }
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
