/** Records to the wanted state of this host. Pure. */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import { type Cidr, hostCidr } from '../address/cidr.ts'
import type { Family, Ip } from '../address/ip.ts'
import { plansOf } from '../address/ipv6-plan.ts'
import { hostPrefix } from '../address/prefixes.ts'
import { deafTo, firewall } from '../host/firewall.ts'
import type { HostState, MainRoute, Route } from '../host/host-state.ts'
import type { IptablesVariant } from '../host/iptables-variant.ts'
import { type LinkNames, linkNames } from '../host/link-names.ts'
import { type Peer, peerRoutes, waysToPeers } from '../host/peers.ts'
import { nextHops } from '../host/plan-host.ts'
import type { SegmentMatch } from '../host/segment-rules.ts'
import type { SourceChoice } from '../host/source-choice.ts'
import type { StoreAddress } from '../host/store-rules.ts'
import { addressesOf, poolsOf } from '../store/families.ts'
import type { PeerRecord } from '../store/host-records.ts'
import type { NetworkId } from '../store/ids.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import type { EndpointRecord, NetworkRecord } from '../store/records.ts'
import { natExceptions } from './network-nat.ts'
import { policiesOf } from './policy-state.ts'
import { portRules } from './port-state.ts'

/** All that the state of a host follows from. */
export interface HostRecords {
  readonly plans: Plans
  /** This host's number. */
  readonly host: bigint
  readonly networks: readonly NetworkRecord[]
  readonly endpoints: readonly EndpointRecord[]
  readonly ports: readonly EndpointPortsRecord[]
  /** Links that lead outside. */
  readonly uplinks: readonly string[]
  /** Whether what leaves gets an address of this host, where a network says nothing else. */
  readonly masquerade: boolean
  /** Where this host itself uses another address than masquerading would; absent: nowhere. */
  readonly sources?: readonly SourceChoice[]
  readonly iptables: IptablesVariant
  readonly segmentMatch: SegmentMatch
  /** Families in which FORWARD's policy was to drop. */
  readonly forwardClosed: readonly Family[]
  /** Whether endpoints reach what listens on their own host. */
  readonly isHostOpen: boolean
  readonly policies: readonly PolicyRecord[]
  /** Absent on a single host. */
  readonly cluster?: ClusterRecords
}

/** What a host of several knows of the others. */
export interface ClusterRecords {
  readonly peers: readonly PeerRecord[]
  /** Where the members of the store listen. */
  readonly stores: readonly StoreAddress[]
  /** What leads to the others. */
  readonly mainRoutes: readonly MainRoute[]
}

const NOTHING: Omit<HostState, 'iptables'> = {
  policyRules: [],
  routes: [],
  linkAddresses: [],
  firewall: [],
  hostSet: undefined,
  forwarding: false,
  forwarding6: false,
  forwardClosed: [],
  links: [],
}

/**
 * A host without a network carries nothing of ours: the last `docker network rm` leaves it as it was. Where there are other
 * hosts, it still does not listen to their containers, which show it their own addresses.
 */
export function desiredState(records: HostRecords): HostState {
  const { networks, uplinks, masquerade, isHostOpen, iptables, cluster } = records
  if (networks.length === 0 && records.endpoints.length === 0)
    return { ...NOTHING, iptables, firewall: cluster ? unusedPlans(records).map(deafTo) : [] }
  const endpoints = joinedEndpoints(records)
  const plans = plansInUse(records)
  const ways = waysToPeers(peersOf(plans, records), cluster?.mainRoutes ?? [])
  const rules = cluster && { ways, unusedPlans: unusedPlans(records), stores: cluster.stores }
  return {
    policyRules: plansOf(plans).map(({ cidr }) => cidr),
    routes: [
      ...plansOf(plans).flatMap((plan) => [...peerRoutes(plan.cidr, ways), ...ownPrefixRoute(plan, records)]),
      ...endpoints.flatMap(({ link, record }) =>
        addressesOf(record).map((address): Route => ({ kind: 'link', destination: hostCidr(address), link })),
      ),
    ],
    linkAddresses: endpoints.flatMap(({ link, record, network }) =>
      nextHops(link, gatewaysOf(record, network)),
    ),
    firewall: firewall(plans, {
      uplinks,
      masquerade,
      natExceptions: natExceptions(networks, masquerade),
      ...(records.sources && { sources: records.sources }),
      isHostOpen,
      ports: portRules(records),
      policies: policiesOf(records.policies),
      ...(records.segmentMatch === 'masks' && { cells: networks.flatMap(poolsOf).map(({ cell }) => cell) }),
      ...(rules && { cluster: rules }),
    }),
    hostSet: cluster?.peers.map(({ address }) => address),
    hostSet6: plans.ipv6 && cluster?.peers.flatMap(({ globalAddress6 }) => globalAddress6 ?? []),
    iptables,
    forwarding: true,
    forwarding6: plans.ipv6 !== undefined,
    forwardClosed: records.forwardClosed,
    links: endpoints.map(({ link }) => link),
  }
}

/** By number: the order of rules and routes is that of the records, whoever joined first. */
function peersOf({ ipv4, ipv6 }: Plans, { cluster }: HostRecords): Peer[] {
  const peers = [...(cluster?.peers ?? [])].sort((a, b) => a.number - b.number)
  return peers.map(({ number, address, address6, globalAddress6, linkAddress }) => ({
    prefix: hostPrefix(ipv4, BigInt(number)),
    address,
    ipv6: ipv6 && {
      prefix: hostPrefix(ipv6, BigInt(number)),
      linkLocal: address6,
      global: globalAddress6,
    },
    linkAddress,
  }))
}

/** Plans of which nothing here has addresses: neither a network nor, unchecked so far, somebody else. */
function unusedPlans(records: HostRecords): Cidr[] {
  const pools = records.networks.flatMap(poolsOf)
  const routes = (records.cluster?.mainRoutes ?? []).filter(({ destination }) => destination.prefixLength > 0)
  return plansOf(records.plans)
    .map(({ cidr }) => cidr)
    .filter((plan) => !pools.some(({ cell }) => plan.family === cell.family))
    .filter((plan) => !routes.some(({ destination }) => destination.overlaps(plan)))
}

/** As long as no network has IPv6, nothing of the host is changed for it. */
export function plansInUse({
  plans: { ipv4, ipv6 },
  networks,
}: Pick<HostRecords, 'plans' | 'networks'>): Plans {
  const pools = networks.flatMap(poolsOf)
  const isUsed = ipv6 !== undefined && pools.some(({ cell }) => cell.family === 6)
  return { ipv4, ...(isUsed && { ipv6 }) }
}

/** A plan without host bits has one host, whose prefix is the plan. */
function ownPrefixRoute(plan: AddressPlan, { host }: HostRecords): Route[] {
  const destination = hostPrefix(plan, host)
  return destination.equals(plan.cidr) ? [] : [{ kind: 'blackhole', destination }]
}

interface JoinedEndpoint {
  readonly link: string
  readonly record: EndpointRecord
  readonly network: NetworkRecord
}

function joinedEndpoints({ networks, endpoints }: HostRecords): JoinedEndpoint[] {
  const networkOf = new Map<NetworkId, NetworkRecord>(networks.map((network) => [network.networkId, network]))
  return endpoints.flatMap((record) => {
    const network = networkOf.get(record.networkId)
    if (!record.joined || network === undefined) return []
    return [{ link: linksOf(record).hostLink, record, network }]
  })
}

/** The next hop of each address of an endpoint. */
export function gatewaysOf(endpoint: EndpointRecord, network: NetworkRecord): Ip[] {
  const families = addressesOf(endpoint).map(({ family }) => family)
  const gateways = poolsOf(network).map(({ gateway }) => gateway)
  return gateways.filter(({ family }) => families.includes(family))
}

/** The names of an endpoint's two links. */
export function linksOf({ linkNumber, internal }: EndpointRecord): LinkNames {
  return linkNames(internal ? 'internal' : 'routed', linkNumber)
}
