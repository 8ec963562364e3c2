/** Records of small hosts, for tests of what follows from them. */
import * as v from 'valibot'
import { parsePlan } from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { gatewayOf } from '../../address/prefixes.ts'
import type { HostState } from '../../host/host-state.ts'
import { linkNames } from '../../host/link-names.ts'
import type { EndpointWiring } from '../../host/plan-endpoint.ts'
import { desiredState, type HostRecords } from '../../network-driver/desired-state.ts'
import { EndpointRecord, NetworkRecord } from '../../store/records.ts'

export const PLANS = { ipv4: parsePlan('10.0.0.0/8 8/4/4/8') }

/** A host of the default plan without a network, whose uplink is eth0. */
export const EMPTY_HOST: HostRecords = {
  plans: PLANS,
  host: 1n,
  networks: [],
  endpoints: [],
  ports: [],
  uplinks: ['eth0'],
  masquerade: true,
  iptables: 'nft',
}

/** A network of tenant "red" whose segment and id are `name`. */
export function networkOf(name: string, cell: string, internal = false): NetworkRecord {
  return v.parse(NetworkRecord, {
    networkId: name,
    cell,
    tenant: 'red',
    segment: name,
    gateway: gatewayOf(Cidr.parse(cell)).toString(),
    internal,
  })
}

/** A joined endpoint whose number of link and id are `linkNumber`. */
export function endpointOf(network: NetworkRecord, address: string, linkNumber: number): EndpointRecord {
  const { networkId, internal } = network
  const endpointId = String(linkNumber)
  return v.parse(EndpointRecord, { endpointId, networkId, address, linkNumber, internal, joined: true })
}

export function wantedOf(
  networks: readonly NetworkRecord[],
  endpoints: readonly EndpointRecord[] = [],
  uplinks: readonly string[] = ['eth0'],
): HostState {
  return desiredState({ ...EMPTY_HOST, networks, endpoints, uplinks })
}

/** What the driver hands to the host when the endpoint is joined. */
export function wiringOf(network: NetworkRecord, endpoint: EndpointRecord): EndpointWiring {
  return {
    links: linkNames(endpoint.internal ? 'internal' : 'routed', endpoint.linkNumber),
    alias: { ...endpoint, tenant: network.tenant, segment: network.segment },
    gateway: network.gateway,
    mtu: 1500,
  }
}

export const WEB = networkOf('web', '10.1.17.0/24')
export const DB = networkOf('db', '10.1.18.0/24')
export const VAULT = networkOf('vault', '10.1.19.0/24', true)
