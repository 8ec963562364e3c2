/** Addresses of a pool, in the journal: an address is free as long as it has no record. */
import type { Cidr } from '../address/cidr.ts'
import { Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { journalKeys } from '../store/keys.ts'
import { AddressRecord, EndpointRecord, formatRecord, getRecord } from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import { inTurn, sizeOf, spanOf } from './allocate.ts'
import type { PoolId } from './pool-id.ts'
import { getPool } from './pools.ts'

/** Takes the next free address of the pool's range. @throws RomanaError E_POOL_FULL, E_STORE */
export async function takeNextAddress(journal: Store, id: PoolId): Promise<Ip> {
  const pool = await getPool(journal, id)
  const span = spanOf(id.cell, id.range)
  for (const address of span === undefined ? [] : inTurn(span, pool.lastGiven)) {
    const lastGiven: Change = {
      kind: 'put',
      key: journalKeys.pool(id.cell),
      value: formatRecord({ ...pool, lastGiven: address }),
    }
    if (await reserve(journal, address, [lastGiven])) return address
  }
  throw new RomanaError('E_POOL_FULL', {
    cannot: `give out an address of segment "${id.segment}" of tenant "${id.tenant}"`,
    because: `all ${span === undefined ? 0 : sizeOf(span)} endpoint addresses of ${id.range} are taken`,
    remedy: 'Remove containers, or use another segment',
  })
}

/** Takes one address by name. @throws RomanaError E_ADDRESS, E_ADDRESS_REFUSED, E_ADDRESS_TAKEN, E_STORE */
export async function takeAddress(journal: Store, id: PoolId, text: string): Promise<Ip> {
  const address = Ip.parse(text)
  const because = refusal(id.cell, address)
  if (because !== undefined) {
    throw new RomanaError('E_ADDRESS_REFUSED', {
      cannot: `give out the address ${address}`,
      because,
      remedy: `Choose one of ${id.cell}, or none`,
    })
  }
  if (await reserve(journal, address, [])) return address
  throw new RomanaError('E_ADDRESS_TAKEN', {
    cannot: `give out the address ${address}`,
    because: 'it is in use',
    remedy: 'Choose another one, or none',
  })
}

/**
 * The engine gives an address back. One that an endpoint still has stays taken and goes with the endpoint; an endpoint
 * that never got links goes with its address, since the engine does not name it again (it died in CreateEndpoint).
 * Well when the address is free. @throws RomanaError E_STORE, E_RECORD
 */
export async function releaseAddress(journal: Store, address: Ip): Promise<void> {
  const key = journalKeys.address(address)
  const stored = await getRecord(journal, AddressRecord, key)
  if (stored === undefined) return
  const { endpointId } = stored.record
  const endpoint = endpointId && (await getRecord(journal, EndpointRecord, journalKeys.endpoint(endpointId)))
  const holdsAddress = endpoint?.record.address.equals(address) === true
  if (endpoint?.record.joined === true && holdsAddress) {
    const value = formatRecord({ ...stored.record, state: 'released' })
    await journal.commit([{ kind: 'put', key, value }])
    return
  }
  const changes: Change[] = [{ kind: 'remove', key }]
  if (endpoint && holdsAddress)
    changes.push({ kind: 'remove', key: journalKeys.endpoint(endpoint.record.endpointId) })
  await journal.commit(changes)
}

/** Why an address of a cell can be nobody's, or undefined. */
function refusal(cell: Cidr, address: Ip): string | undefined {
  if (!cell.contains(address)) return `it lies outside the cell ${cell} of this segment on this host`
  if (address.equals(cell.network)) return `it is the network address of ${cell}`
  if (address.equals(gatewayOf(cell))) return `it is the gateway of ${cell}`
  if (address.equals(cell.last)) return `it is the last address of ${cell}`
  return undefined
}

/** False: it is taken. */
async function reserve(journal: Store, address: Ip, more: readonly Change[]): Promise<boolean> {
  const value = formatRecord({ address, state: 'reserved' })
  const result = await journal.commit([{ kind: 'create', key: journalKeys.address(address), value }, ...more])
  return result.committed
}
