/** Endpoints: a record, then two links, an address and a route; and the same backwards. */
import { hostCidr, parseAddressWithLength } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { macOf } from '../address/mac.ts'
import { RomanaError } from '../errors.ts'
import type { Host } from '../host/linux-host.ts'
import type { EndpointId, NetworkId } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import {
  AddressRecord,
  type EndpointRecord,
  formatRecord,
  getRecord,
  type NetworkRecord,
} from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import { linksOf } from './desired-state.ts'
import type { LiveEndpoints } from './live-endpoints.ts'
import { parsePortWishes } from './port-wishes.ts'
import { getEndpoint, getNetwork, type Stores } from './records.ts'
import {
  type CreateEndpointRequest,
  type EndpointRequest,
  type JoinAnswer,
  type JoinRequest,
  ROUTE_TYPE,
} from './wire.ts'

export interface EndpointParts {
  readonly stores: Stores
  readonly host: Host
  /** A number that no link of this host had before. */
  readonly nextLinkNumber: () => number
  /** Bytes, for networks that ask for none. */
  readonly usualMtu: () => number
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
  const address = endpointAddress(request)
  const known = await getEndpoint(parts.stores, request.EndpointID)
  if (known === undefined) await recordEndpoint(parts, network, request.EndpointID, address)
  else if (!known.address.equals(address))
    throw takenError(address, `endpoint "${request.EndpointID}" has ${known.address}`)
  return request.Interface.MacAddress === '' ? { Interface: { MacAddress: macOf(address) } } : {}
}

/**
 * Makes the endpoint's links and says which one the engine is to move.
 * @throws RomanaError E_ENDPOINT_UNKNOWN, E_OPTION, E_COMMAND, E_STORE
 */
export async function join(parts: EndpointParts, request: JoinRequest): Promise<JoinAnswer> {
  const { stores, live } = parts
  const network = await getNetwork(stores, request.NetworkID)
  const endpoint = await getEndpoint(stores, request.EndpointID)
  if (endpoint === undefined) throw unknownEndpoint(request.EndpointID, request.NetworkID)
  if (!live.has(endpoint.endpointId)) {
    refuseSecondOfSegment(parts, network, request)
    const fresh = await withFreshLinks(parts, endpoint)
    await wire(parts, { ...fresh, joined: true, sandbox: request.SandboxKey }, network)
    return joinAnswer(fresh, network)
  }
  return joinAnswer(endpoint, network)
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

/** The record first: a link without one would be taken for somebody else's. */
async function wire(
  { stores, host, usualMtu, live }: EndpointParts,
  endpoint: EndpointRecord,
  network: NetworkRecord,
) {
  await putEndpoint(stores.journal, endpoint)
  await host.addEndpoint({
    links: linksOf(endpoint),
    alias: { ...endpoint, tenant: network.tenant, segment: network.segment },
    gateway: network.gateway,
    mtu: network.mtu ?? usualMtu(),
  })
  live.add({ endpointId: endpoint.endpointId, cell: network.cell, sandbox: endpoint.sandbox })
}

/** Both would have the same routes, and the engine would fail with "file exists". */
function refuseSecondOfSegment(
  { live }: EndpointParts,
  { cell, tenant, segment }: NetworkRecord,
  request: JoinRequest,
) {
  if (live.sameCellNeighbour(request.SandboxKey, cell, request.EndpointID) === undefined) return
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
  if (endpoint?.joined === true) await putEndpoint(stores.journal, { ...endpoint, joined: false })
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
    ...(await freeAddress(stores.journal, endpoint)),
  ])
}

function endpointAddress({ Interface }: CreateEndpointRequest): Ip {
  return parseAddressWithLength(Interface.Address).address
}

/** The address becomes the endpoint's in the same transaction. Two endpoints never have one. */
async function recordEndpoint(
  { stores, nextLinkNumber }: EndpointParts,
  network: NetworkRecord,
  endpointId: EndpointId,
  address: Ip,
): Promise<void> {
  if (!network.cell.contains(address))
    throw takenError(address, `it lies outside the network's ${network.cell}`)
  const key = journalKeys.address(address)
  const held = await getRecord(stores.journal, AddressRecord, key)
  const isPossible = held === undefined || ['reserved', 'resting'].includes(held.record.state)
  if (!isPossible) throw takenError(address, 'another endpoint has it, or it is kept for the network')
  const value = formatRecord({ address, state: 'endpoint', endpointId })
  const { networkId, internal } = network
  const endpoint = { endpointId, networkId, address, linkNumber: nextLinkNumber(), internal, joined: false }
  const result = await stores.journal.commit([
    { kind: 'create', key: journalKeys.endpoint(endpointId), value: formatRecord(endpoint) },
    held === undefined
      ? { kind: 'create', key, value }
      : { kind: 'swap', key, value, revision: held.revision },
  ])
  if (!result.committed) throw takenError(address, 'another endpoint got it at the same moment')
}

/** A released address rests now. One that the engine has not given back yet stays reserved until it does, or too long. */
async function freeAddress(journal: Store, { address, endpointId }: EndpointRecord): Promise<Change[]> {
  const key = journalKeys.address(address)
  const held = await getRecord(journal, AddressRecord, key)
  if (held?.record.endpointId !== endpointId) return []
  const state = held.record.state === 'released' ? 'resting' : 'reserved'
  return [{ kind: 'put', key, value: formatRecord({ address, state }) }]
}

async function putEndpoint(journal: Store, endpoint: EndpointRecord): Promise<void> {
  await journal.commit([
    { kind: 'put', key: journalKeys.endpoint(endpoint.endpointId), value: formatRecord(endpoint) },
  ])
}

/**
 * The gateway is reached by a route on the link, since a /32 knows no neighbours. It is the cell's own, so that two
 * Romana networks of one container do not clash. The route to the cell makes a container with several networks answer
 * each peer by the link on which it was asked; its default route has but one link, and from there the answer would not
 * pass the check of its source. With a gateway the engine leaves docker_gwbridge away; an internal network must not
 * have one, since it would become the container's way out.
 */
function joinAnswer(endpoint: EndpointRecord, { cell, gateway, internal }: NetworkRecord): JoinAnswer {
  return {
    InterfaceName: { SrcName: linksOf(endpoint).containerLink, DstPrefix: 'eth' },
    ...(internal ? {} : { Gateway: String(gateway) }),
    StaticRoutes: [
      { Destination: String(hostCidr(gateway)), RouteType: ROUTE_TYPE.connected, NextHop: '' },
      { Destination: String(cell), RouteType: ROUTE_TYPE.nextHop, NextHop: String(gateway) },
    ],
  }
}

function unknownEndpoint(endpointId: EndpointId, networkId: NetworkId): RomanaError {
  return new RomanaError('E_ENDPOINT_UNKNOWN', {
    cannot: `join endpoint "${endpointId}" to network "${networkId}"`,
    because: 'Romana has no record of the endpoint',
    remedy: 'Start the container again',
  })
}

function takenError(address: Ip, because: string): RomanaError {
  return new RomanaError('E_ADDRESS_TAKEN', {
    cannot: `give the address ${address} to the endpoint`,
    because,
    remedy: 'Start the container again',
  })
}
