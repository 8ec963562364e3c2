/** A network that the engine removed while nobody could tell Romana: a person has its record removed. */
import { RomanaError } from '../errors.ts'
import type { NetworkId } from '../store/ids.ts'
import type { NetworkRecord } from '../store/records.ts'
import { buryEndpoints } from './converge.ts'
import { getNetwork, listEndpoints, removeNetwork, type Stores } from './records.ts'

/**
 * Removes the record, as DeleteNetwork does; with it go endpoints that no container has: the engine does not name them again.
 * Must run alone. @throws RomanaError E_NETWORK_UNKNOWN, E_NETWORK_IN_USE, E_STORE, E_RECORD
 */
export async function forgetLostNetwork(stores: Stores, networkId: NetworkId): Promise<NetworkRecord> {
  const network = await getNetwork(stores, networkId)
  const endpoints = (await listEndpoints(stores)).filter((endpoint) => endpoint.networkId === networkId)
  const living = endpoints.filter(({ joined }) => joined)
  if (living.length > 0)
    throw inUseError(
      network,
      living.map(({ address }) => String(address)),
    )
  await buryEndpoints(stores, endpoints)
  await removeNetwork(stores, networkId)
  return network
}

function inUseError({ networkId }: NetworkRecord, addresses: readonly string[]): RomanaError {
  return new RomanaError('E_NETWORK_IN_USE', {
    cannot: `remove the network "${networkId}"`,
    because: `containers are on it: ${addresses.join(', ')}`,
    remedy: 'Stop them first; "romana endpoint list" shows them',
  })
}
