/** The addresses of an endpoint: what the engine hands over, whose they become, and what they are afterwards. */
import { parseAddressWithLength } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import { addressesOf, poolsOf } from '../store/families.ts'
import type { EndpointId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import {
  AddressRecord,
  type EndpointRecord,
  formatRecord,
  getRecord,
  type NetworkRecord,
} from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import type { CreateEndpointRequest } from './wire.ts'

/** One, or an IPv4 and an IPv6 one. */
export type EndpointAddresses = Pick<EndpointRecord, 'address' | 'address6'>

/** @throws RomanaError E_ADDRESS when there is none. */
export function requestedAddresses({ Interface }: CreateEndpointRequest): EndpointAddresses {
  const texts = [Interface.Address, Interface.AddressIPv6].filter((text) => text !== '')
  const [address, address6] = (texts.length === 0 ? [''] : texts).map(
    (text) => parseAddressWithLength(text).address,
  )
  if (address === undefined) throw new RangeError('There is always a first one')
  return { address, ...(address6 && { address6 }) }
}

/**
 * The writes that make the addresses the endpoint's. Two endpoints never have one.
 * @throws RomanaError E_ADDRESS_TAKEN, E_STORE, E_RECORD
 */
export async function takenAddresses(
  journal: Store,
  network: NetworkRecord,
  endpoint: EndpointAddresses & { readonly endpointId: EndpointId },
): Promise<Change[]> {
  const cells = poolsOf(network).map(({ cell }) => cell)
  const changes: Change[] = []
  for (const address of addressesOf(endpoint)) {
    if (!cells.some((cell) => cell.contains(address)))
      throw takenError(address, `it lies outside the network's ${cells.join(' and ')}`)
    changes.push(await takenAddress(journal, address, endpoint.endpointId))
  }
  return changes
}

async function takenAddress(journal: Store, address: Ip, endpointId: EndpointId): Promise<Change> {
  const key = journalKeys.address(address)
  const held = await getRecord(journal, AddressRecord, key)
  const isPossible = held === undefined || ['reserved', 'resting'].includes(held.record.state)
  if (!isPossible) throw takenError(address, 'another endpoint has it, or it is kept for the network')
  const value = formatRecord({ address, state: 'endpoint', endpointId })
  return held === undefined
    ? { kind: 'create', key, value }
    : { kind: 'swap', key, value, revision: held.revision }
}

/** What the engine has given back rests now. What it has not given back yet stays reserved until it does, or too long. */
export function freedAddresses(journal: Store, endpoint: EndpointRecord): Promise<Change[]> {
  return addressesAfter(journal, endpoint, (state) => (state === 'released' ? 'resting' : 'reserved'))
}

/** They rest, as if the engine had given them back. */
export function restingAddresses(journal: Store, endpoint: EndpointRecord): Promise<Change[]> {
  return addressesAfter(journal, endpoint, () => 'resting')
}

type State = AddressRecord['state']

async function addressesAfter(
  journal: Store,
  endpoint: EndpointRecord,
  stateAfter: (state: State) => State,
): Promise<Change[]> {
  const changes: Change[] = []
  for (const address of addressesOf(endpoint)) {
    const key = journalKeys.address(address)
    const held = await getRecord(journal, AddressRecord, key)
    if (held?.record.endpointId !== endpoint.endpointId) continue
    const value = formatRecord({ address, state: stateAfter(held.record.state) })
    changes.push({ kind: 'put', key, value })
  }
  return changes
}

export function takenError(address: Ip, because: string): RomanaError {
  return new RomanaError('E_ADDRESS_TAKEN', {
    cannot: `give the address ${address} to the endpoint`,
    because,
    remedy: 'Start the container again',
  })
}
