/** Before the first answer: what the kernel and the directory know and the journal does not is written to the journal. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { formatRecord, listRecords, NetworkRecord } from '../store/records.ts'
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
async function adopt(stores: Stores, { endpoint, network }: AdoptedEndpoint): Promise<void> {
  const { endpointId, address } = endpoint
  if ((await findNetwork(stores, network.networkId)) === undefined) await putNetwork(stores, network)
  await stores.journal.commit([
    { kind: 'put', key: journalKeys.endpoint(endpointId), value: formatRecord(endpoint) },
    {
      kind: 'put',
      key: journalKeys.address(address),
      value: formatRecord({ address, state: 'endpoint', endpointId }),
    },
  ])
}
