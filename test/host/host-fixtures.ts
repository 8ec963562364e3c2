/** Records of small hosts, for tests of what follows from them. */
import * as v from 'valibot'
import { parsePlan } from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { gatewayOf } from '../../address/prefixes.ts'
import type { HostState } from '../../host/host-state.ts'
import { linkNames } from '../../host/link-names.ts'
import type { EndpointWiring } from '../../host/plan-endpoint.ts'
import { desiredState, gatewaysOf, type HostRecords } from '../../network-driver/desired-state.ts'
import { EndpointRecord, NetworkRecord } from '../../store/records.ts'

export const PLANS = { ipv4: parsePlan('10.0.0.0/8 8/4/4/8') }

/** The same beside an IPv6 plan. */
export const BOTH_PLANS = { ...PLANS, ipv6: parsePlan('fd3a:1c55:9e02::/48 16/16/16/32') }

/** A host of the default plan without a network, whose uplink is eth0. */
export const EMPTY_HOST: HostRecords = {
  plans: PLANS,
  host: 1n,
  networks: [],
  endpoints: [],
  ports: [],
  uplinks: ['eth0'],
  masquerade: true,
  isHostOpen: false,
  iptables: 'nft',
  segmentMatch: 'bpf',
  forwardClosed: [],
  policies: [],
}

/** A network of tenant "red" whose segment and id are `name`. @param cells one or, parted by a blank, an IPv4 and an IPv6 one. */
export function networkOf(name: string, cells: string, internal = false): NetworkRecord {
  const [pool, pool6] = cells.split(' ').map((cell) => ({ cell, gateway: `${gatewayOf(Cidr.parse(cell))}` }))
  return v.parse(NetworkRecord, { networkId: name, ...pool, pool6, tenant: 'red', segment: name, internal })
}

/** A joined endpoint whose number of link and id are `linkNumber`. @param addresses one or two, as the cells of its network. */
export function endpointOf(network: NetworkRecord, addresses: string, linkNumber: number): EndpointRecord {
  const { networkId, internal } = network
  const [address, address6] = addresses.split(' ')
  const ids = { endpointId: String(linkNumber), networkId, linkNumber }
  return v.parse(EndpointRecord, { ...ids, address, address6, internal, joined: true })
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
    gateways: gatewaysOf(endpoint, network),
    mtu: 1500,
  }
}

export const WEB = networkOf('web', '10.1.17.0/24')
export const DB = networkOf('db', '10.1.18.0/24')
export const VAULT = networkOf('vault', '10.1.19.0/24', true)
