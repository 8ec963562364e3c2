/** Endpoints: a record, then two links, an address and a route; and the same backwards. */
import type { Plans } from '../address/address-plan.ts'
import { macOf } from '../address/mac.ts'
import { RomanaError } from '../errors.ts'
import type { Host } from '../host/linux-host.ts'
import { addressesOf, poolsOf } from '../store/families.ts'
import type { EndpointId, NetworkId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import { EndpointRecord, formatRecord, getRecord, type NetworkRecord, type Stored } from '../store/records.ts'
import { compareAndSwap } from '../store/store.ts'
import { gatewaysOf, linksOf } from './desired-state.ts'
import {
  type EndpointAddresses,
  freedAddresses,
  requestedAddresses,
  takenAddresses,
  takenError,
} from './endpoint-addresses.ts'
import { joinAnswer, type SegmentPlaces } from './join-answer.ts'
import type { LiveEndpoints } from './live-endpoints.ts'
import { parsePortWishes } from './port-wishes.ts'
import { getEndpoint, getNetwork, type Stores } from './records.ts'
import type { CreateEndpointRequest, EndpointRequest, JoinAnswer, JoinRequest } from './wire.ts'

export interface EndpointParts {
  readonly stores: Stores
  readonly plans: Plans
  readonly host: Host
  /** A number that no link of this host had before. */
  readonly nextLinkNumber: () => number
  /** Bytes, for networks that ask for none. */
  readonly usualMtu: () => number
  /** The other hosts. */
  readonly peers: SegmentPlaces['peers']
  /** Whether other hosts can join. */
  readonly isCluster: boolean
  /** Those whose links this process has made or seen: a repeated Join does nothing in the kernel. */
  readonly live: LiveEndpoints
}

/**
 * Records the endpoint. A MAC is answered only when the engine sent none: it takes even the same one for a change and
 * fails the start. It is the address in another form, so that a reused address is never stale in a neighbour table.
 * @throws RomanaError E_NETWORK_UNKNOWN, E_PORT, E_ADDRESS_TAKEN, E_STORE
 */
export async function createEndpoint(parts: EndpointParts, request: CreateEndpointRequest): Promise<object> {
  // What cannot be published is told before anything is made; the ports themselves come later.
  parsePortWishes(request.Options)
  const network = await getNetwork(parts.stores, request.NetworkID)
  const addresses = requestedAddresses(request)
  const known = await getEndpoint(parts.stores, request.EndpointID)
  if (known === undefined) await recordEndpoint(parts, network, request.EndpointID, addresses)
  else if (String(addressesOf(known)) !== String(addressesOf(addresses)))
    throw takenError(
      addresses.address,
      `endpoint "${request.EndpointID}" has ${addressesOf(known).join(' and ')}`,
    )
  return request.Interface.MacAddress === '' ? { Interface: { MacAddress: macOf(addresses.address) } } : {}
}

/**
 * Makes the endpoint's links and says which one the engine is to move.
 * @throws RomanaError E_ENDPOINT_UNKNOWN, E_OPTION, E_COMMAND, E_STORE
 */
export async function join(parts: EndpointParts, request: JoinRequest): Promise<JoinAnswer> {
  const { stores, live } = parts
  const network = await getNetwork(stores, request.NetworkID)
  const stored = await getRecord(stores.journal, EndpointRecord, journalKeys.endpoint(request.EndpointID))
  if (stored === undefined) throw unknownEndpoint(request.EndpointID, request.NetworkID)
  if (live.has(request.EndpointID)) return joinAnswer(stored.record, network, parts)
  refuseSecondOfSegment(parts, network, request)
  const fresh = await withFreshLinks(parts, stored.record)
  const joined = { ...fresh, joined: true, sandbox: request.SandboxKey }
  await wire(parts, { record: joined, revision: stored.revision }, network)
  return joinAnswer(fresh, network, parts)
}

/** An earlier Join has left links, or failed. Their names are not used again. */
async function withFreshLinks(
  { host, nextLinkNumber }: EndpointParts,
  endpoint: EndpointRecord,
): Promise<EndpointRecord> {
  if (endpoint.sandbox === undefined) return endpoint
  await host.removeEndpoint(linksOf(endpoint).hostLink)
  return { ...endpoint, linkNumber: nextLinkNumber() }
}

/**
 * The record first: a link without one would be taken for somebody else's. Not when the endpoint went since it was read,
 * as with an address that is given back: somebody else may get that.
 */
async function wire(
  { stores, host, usualMtu, live }: EndpointParts,
  { record: endpoint, revision }: Stored<EndpointRecord>,
  network: NetworkRecord,
) {
  const key = journalKeys.endpoint(endpoint.endpointId)
  const isThere = await compareAndSwap(stores.journal, { key, value: formatRecord(endpoint), revision })
  if (!isThere) throw unknownEndpoint(endpoint.endpointId, network.networkId)
  await host.addEndpoint({
    links: linksOf(endpoint),
    alias: { ...endpoint, tenant: network.tenant, segment: network.segment },
    gateways: gatewaysOf(endpoint, network),
    mtu: network.mtu ?? usualMtu(),
  })
  const cells = poolsOf(network).map(({ cell }) => cell)
  live.add({ endpointId: endpoint.endpointId, cells, sandbox: endpoint.sandbox })
}

/** Both would have the same routes, and the engine would fail with "file exists". */
function refuseSecondOfSegment({ live }: EndpointParts, network: NetworkRecord, request: JoinRequest) {
  const { tenant, segment } = network
  const cells = poolsOf(network).map(({ cell }) => cell)
  if (live.sameCellNeighbour(request.SandboxKey, cells, request.EndpointID) === undefined) return
  throw new RomanaError('E_OPTION', {
    cannot: `connect the container to another network of segment "${segment}" of tenant "${tenant}"`,
    because: 'it has an address of this segment already',
    remedy: 'One network of a segment is enough: all networks of a segment reach each other',
  })
}

/**
 * The engine still has to move the container's link back, so the pair stays; without a container it is dead, and goes
 * with DeleteEndpoint or, should that never come, with the next look at the host. Gives the container's namespace.
 * @throws RomanaError E_STORE
 */
export async function leave(
  { stores, live }: EndpointParts,
  { EndpointID }: EndpointRequest,
): Promise<string | undefined> {
  const endpoint = await getEndpoint(stores, EndpointID)
  live.delete(EndpointID)
  if (endpoint?.joined === true) {
    const value = formatRecord({ ...endpoint, joined: false })
    await stores.journal.commit([{ kind: 'put', key: journalKeys.endpoint(EndpointID), value }])
  }
  return endpoint?.sandbox
}

/** Kernel first, record last: what is interrupted here is found again. @throws RomanaError E_COMMAND, E_STORE */
export async function deleteEndpoint(parts: EndpointParts, { EndpointID }: EndpointRequest): Promise<void> {
  const { stores, host, live } = parts
  const endpoint = await getEndpoint(stores, EndpointID)
  if (endpoint === undefined) return
  await host.removeEndpoint(linksOf(endpoint).hostLink)
  live.delete(EndpointID)
  await stores.journal.commit([
    { kind: 'remove', key: journalKeys.endpoint(EndpointID) },
    { kind: 'remove', key: journalKeys.endpointPorts(EndpointID) },
    ...(await freedAddresses(stores.journal, endpoint)),
  ])
}

/** The addresses become the endpoint's in the same transaction. */
async function recordEndpoint(
  { stores, nextLinkNumber }: EndpointParts,
  network: NetworkRecord,
  endpointId: EndpointId,
  addresses: EndpointAddresses,
): Promise<void> {
  const { networkId, internal } = network
  const taken = await takenAddresses(stores.journal, network, { endpointId, ...addresses })
  const links = { linkNumber: nextLinkNumber(), internal, joined: false }
  const value = formatRecord({ endpointId, networkId, ...addresses, ...links })
  const result = await stores.journal.commit([
    { kind: 'create', key: journalKeys.endpoint(endpointId), value },
    ...taken,
  ])
  if (!result.committed) throw takenError(addresses.address, 'another endpoint got it at the same moment')
}

function unknownEndpoint(endpointId: EndpointId, networkId: NetworkId): RomanaError {
  return new RomanaError('E_ENDPOINT_UNKNOWN', {
    cannot: `join endpoint "${endpointId}" to network "${networkId}"`,
    because: 'Romana has no record of the endpoint',
    remedy: 'Start the container again',
  })
}
