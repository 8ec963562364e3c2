/** The end of an endpoint that never got links: the engine does not name it again. Its addresses go with it. */
import type { Ip } from '../address/ip.ts'
import { addressesOf } from '../store/families.ts'
import { journalKeys } from '../store/keys.ts'
import { AddressRecord, type EndpointRecord, formatRecord, getRecord, type Stored } from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'

/**
 * Written only while the endpoint is as it was read.
 * @param except the address that the rest of the transaction is about.
 * @throws RomanaError E_STORE, E_RECORD
 */
export async function endpointEnd(
  journal: Store,
  { record: endpoint, revision }: Stored<EndpointRecord>,
  except: Ip,
): Promise<Change[]> {
  const key = journalKeys.endpoint(endpoint.endpointId)
  const changes: Change[] = [{ kind: 'remove', key, revision }]
  for (const address of addressesOf(endpoint)) {
    const addressKey = journalKeys.address(address)
    const held = await getRecord(journal, AddressRecord, addressKey)
    if (address.equals(except) || held?.record.endpointId !== endpoint.endpointId) continue
    changes.push({ kind: 'put', key: addressKey, value: formatRecord({ address, state: 'resting' }) })
  }
  return changes
}
