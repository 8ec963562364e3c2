/** Addresses of a pool, in the journal. An address without a record is free. */
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { addressesOf, poolsOf } from '../store/families.ts'
import { journalKeys } from '../store/keys.ts'
import {
  AddressRecord,
  EndpointRecord,
  formatRecord,
  getRecord,
  listRecords,
  NetworkRecord,
  type Stored,
} from '../store/records.ts'
import type { RevisionAge } from '../store/revision-age.ts'
import type { Change, Store } from '../store/store.ts'
import { untilDone } from './attempts.ts'
import { endpointEnd } from './endpoint-end.ts'
import type { PoolId } from './pool-id.ts'

/**
 * How long a released address rests before it is somebody else's, and how long a reservation waits for its endpoint, in
 * milliseconds. Peers may still send to the old owner; the engine makes the endpoint some milliseconds after it asked.
 */
export const REST_MS = 60_000

export interface AddressParts {
  readonly journal: Store
  /** Of the journal, for {@link REST_MS}. */
  readonly age: RevisionAge
}

/** What is recorded of an address; undefined for one that is simply free. */
export type HeldAddress = Stored<AddressRecord> | undefined

/** Takes one address by name, also one that rests. @throws RomanaError E_ADDRESS_REFUSED, E_ADDRESS_TAKEN, E_STORE */
export async function takeAddress(parts: AddressParts, id: PoolId, address: Ip): Promise<Ip> {
  const { journal, age } = parts
  const because = refusal(id.cell, address)
  if (because !== undefined) {
    throw new RomanaError('E_ADDRESS_REFUSED', {
      cannot: `give out the address ${address}`,
      because,
      remedy: `Choose one of ${id.cell}, or none`,
    })
  }
  const held = await getRecord(journal, AddressRecord, journalKeys.address(address))
  const isPossible = held === undefined || held.record.state === 'resting' || isFree(held, age)
  const changes = isPossible ? [] : await removalOfForgotten(parts, held)
  if (changes !== undefined && (await reserve(journal, address, held, changes))) return address
  throw new RomanaError('E_ADDRESS_TAKEN', {
    cannot: `give out the address ${address}`,
    because: 'it is in use',
    remedy: 'Choose another one, or none',
  })
}

/**
 * The engine gives an address back, and it rests. One that an endpoint still has stays taken and goes with the endpoint;
 * an endpoint that never got links goes with its address, since the engine does not name it again (the plugin died in
 * CreateEndpoint). Well when the address is free. @throws RomanaError E_CONFLICT, E_STORE, E_RECORD
 */
export async function releaseAddress({ journal }: AddressParts, address: Ip): Promise<void> {
  await untilDone(`take back the address ${address}`, () => tryToRelease(journal, address))
}

/** Undefined: the address or its endpoint was changed since it was looked at, as by a Join at the same moment. */
async function tryToRelease(journal: Store, address: Ip): Promise<true | undefined> {
  const key = journalKeys.address(address)
  const stored = await getRecord(journal, AddressRecord, key)
  if (stored === undefined || stored.record.state === 'resting') return true
  // It goes with its network; the engine also gives it back when another network that wanted it could not be made.
  if (stored.record.state === 'auxiliary') return true
  const holder = await holderOf(journal, stored.record)
  const isWired = holder !== undefined && (holder.record.joined || holder.record.sandbox !== undefined)
  const value = isWired
    ? formatRecord({ address, state: 'released', endpointId: holder.record.endpointId })
    : formatRecord({ address, state: 'resting' })
  const end = holder && !isWired ? await endpointEnd(journal, holder, address) : []
  const { committed } = await journal.commit([
    { kind: 'swap', key, value, revision: stored.revision },
    ...end,
  ])
  return committed || undefined
}

/** The endpoint that has the address, also one that has left. */
async function holderOf(
  journal: Store,
  { address, endpointId }: AddressRecord,
): Promise<Stored<EndpointRecord> | undefined> {
  if (endpointId === undefined) return undefined
  const endpoint = await getRecord(journal, EndpointRecord, journalKeys.endpoint(endpointId))
  return endpoint && addressesOf(endpoint.record).some((held) => held.equals(address)) ? endpoint : undefined
}

/** Whether a network has the address as its gateway, or keeps it from its containers. @throws RomanaError E_STORE, E_RECORD */
export async function isKeptByNetwork(journal: Store, address: Ip): Promise<boolean> {
  const networks = await listRecords(journal, NetworkRecord, journalKeys.networks())
  const kept = networks.flatMap(poolsOf).flatMap(({ gateway, auxiliary }) => [gateway, ...auxiliary])
  return kept.some((one) => one.equals(address))
}

/** Nobody has it, its rest is over, or the endpoint for which it was reserved never came. */
export function isFree(held: HeldAddress, age: RevisionAge): boolean {
  if (held === undefined) return true
  return (held.record.state === 'resting' || held.record.state === 'reserved') && age.isOld(held.revision)
}

/**
 * The removal of the endpoint that has the address, when the engine has forgotten it: an engine that dies in
 * CreateEndpoint never names the endpoint again, and one that lost the plugin behind Leave does not either.
 */
export async function removalOfForgotten(
  { journal, age }: AddressParts,
  { record: { address, endpointId }, revision }: Stored<AddressRecord>,
): Promise<Change[] | undefined> {
  if (endpointId === undefined || !age.isOld(revision)) return undefined
  const endpoint = await getRecord(journal, EndpointRecord, journalKeys.endpoint(endpointId))
  if (endpoint === undefined || endpoint.record.joined || !age.isOld(endpoint.revision)) return undefined
  return endpointEnd(journal, endpoint, address)
}

/** Why an address of a cell can be nobody's, or undefined. */
function refusal(cell: Cidr, address: Ip): string | undefined {
  if (!cell.contains(address)) return `it lies outside the cell ${cell} of this segment on this host`
  if (address.equals(cell.network)) return `it is the network address of ${cell}`
  if (address.equals(gatewayOf(cell))) return `it is the gateway of ${cell}`
  if (address.equals(cell.last)) return `it is the last address of ${cell}`
  return undefined
}

/** False: it was taken since it was looked at. */
export async function reserve(
  journal: Store,
  address: Ip,
  held: HeldAddress,
  more: readonly Change[],
): Promise<boolean> {
  const key = journalKeys.address(address)
  const value = formatRecord({ address, state: 'reserved' })
  const change: Change =
    held === undefined
      ? { kind: 'create', key, value }
      : { kind: 'swap', key, value, revision: held.revision }
  return (await journal.commit([change, ...more])).committed
}
