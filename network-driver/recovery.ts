/** Before the first answer: what the kernel and the directory know and the journal does not is written to the journal. */
import type { Plans } from '../address/address-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { addressesOf } from '../store/families.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import { formatRecord, listRecords, NetworkRecord } from '../store/records.ts'
import type { Change } from '../store/store.ts'
import { type AdoptedEndpoint, findLiveEndpoints } from './adoption.ts'
import { findPublishedPorts } from './port-adoption.ts'
import { findNetwork, listEndpoints, listNetworks, putNetwork, type Stores } from './records.ts'

/** What recovery brought back, for the log. */
export interface Recovered {
  readonly networks: number
  readonly endpoints: number
}

/** @throws RomanaError E_STORE, E_RECORD */
export async function recoverJournal(stores: Stores, seen: ObservedHost, plans: Plans): Promise<Recovered> {
  const networks = await recoverNetworks(stores)
  const known = new Set<string>((await listEndpoints(stores)).map(({ endpointId }) => endpointId))
  const adopted = findLiveEndpoints(seen, plans, known)
  for (const endpoint of adopted) await adopt(stores, endpoint)
  for (const ports of findPublishedPorts(seen, adopted)) await adoptPorts(stores, ports)
  return { networks, endpoints: adopted.length }
}

/**
 * A journal that is new or was lost takes over what the directory has of this host's networks. Once: later the directory
 * follows the journal, is not asked, and may be away.
 */
async function recoverNetworks(stores: Stores): Promise<number> {
  const { journal, directory, host } = stores
  if ((await journal.get(journalKeys.takenOver())) !== undefined) return 0
  const inDirectory = await listRecords(directory, NetworkRecord, directoryKeys.hostNetworks(host))
  const known = new Set<string>((await listNetworks(stores)).map(({ networkId }) => networkId))
  const lost = inDirectory.filter(({ networkId }) => !known.has(networkId))
  for (const network of lost) await putNetwork(stores, network)
  await journal.commit([{ kind: 'put', key: journalKeys.takenOver(), value: '{}' }])
  return lost.length
}

/** Adds what is missing and changes nothing that is there. */
async function adopt(stores: Stores, { endpoint, network }: AdoptedEndpoint): Promise<void> {
  const { endpointId } = endpoint
  if ((await findNetwork(stores, network.networkId)) === undefined) await putNetwork(stores, network)
  await stores.journal.commit([
    { kind: 'put', key: journalKeys.endpoint(endpointId), value: formatRecord(endpoint) },
    ...addressesOf(endpoint).map(
      (address): Change => ({
        kind: 'put',
        key: journalKeys.address(address),
        value: formatRecord({ address, state: 'endpoint', endpointId }),
      }),
    ),
  ])
}

async function adoptPorts({ journal }: Stores, ports: EndpointPortsRecord): Promise<void> {
  const key = journalKeys.endpointPorts(ports.endpointId)
  await journal.commit([{ kind: 'put', key, value: formatRecord(ports) }])
}
