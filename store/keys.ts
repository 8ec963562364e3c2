/** The layout of both stores. The only place that spells a key. Pure. */
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import type { EndpointId, FieldNumber, HostNumber, Name, NetworkId, PolicyName } from './ids.ts'

/** Keys of the directory: what the hosts of a cluster share. */
export const directoryKeys = {
  plan: () => '/plan',
  hosts: () => '/hosts/',
  host: (host: HostNumber) => `/hosts/${host}`,
  /** There as long as the host's plugin runs, and some seconds more. */
  session: (host: HostNumber) => `/sessions/${host}`,
  sessions: () => '/sessions/',
  tenant: (tenant: Name) => `/tenants/${tenant}`,
  tenants: () => '/tenants/',
  /** Who has the number, or had it last: two tenants can never have one number. */
  tenantNumber: (number: FieldNumber) => `/tenant-numbers/${number}`,
  tenantNumbers: () => '/tenant-numbers/',
  segment: (tenant: Name, segment: Name) => `/segments/${tenant}/${segment}`,
  segments: (tenant: Name) => `/segments/${tenant}/`,
  allSegments: () => '/segments/',
  segmentNumber: (tenant: Name, number: FieldNumber) => `/segment-numbers/${tenant}/${number}`,
  segmentNumbers: (tenant: Name) => `/segment-numbers/${tenant}/`,
  /** There as long as the host has a pool in the segment. */
  segmentHost: (tenant: Name, segment: Name, host: HostNumber) =>
    `/segment-hosts/${tenant}/${segment}/${host}`,
  segmentHosts: (tenant: Name, segment: Name) => `/segment-hosts/${tenant}/${segment}/`,
  allSegmentHosts: () => '/segment-hosts/',
  /** A host's networks: a second copy of the journal's, for the day the journal is lost. */
  hostNetwork: (host: HostNumber, network: NetworkId) => `/host-networks/${host}/${network}`,
  hostNetworks: (host: HostNumber) => `/host-networks/${host}/`,
  /** A host's endpoints, for people and tools to look up: a copy of the journal's. */
  hostEndpoint: (host: HostNumber, endpoint: EndpointId) => `/host-endpoints/${host}/${endpoint}`,
  hostEndpoints: (host: HostNumber) => `/host-endpoints/${host}/`,
  allHostEndpoints: () => '/host-endpoints/',
  /** A segment that shall be a Docker network on every host. */
  everywhere: (tenant: Name, segment: Name) => `/everywhere/${tenant}/${segment}`,
  allEverywhere: () => '/everywhere/',
  policy: (name: PolicyName) => `/policies/${name}`,
  policies: () => '/policies/',
} as const

/** Keys of the journal: what is true of this host. */
export const journalKeys = {
  pool: (cell: Cidr) => `/pools/${cell}`,
  pools: () => '/pools/',
  address: (address: Ip) => `/addresses/${address}`,
  addresses: () => '/addresses/',
  /** Of all addresses in an IPv4 cell, and perhaps some beside it. The texts of IPv6 addresses share no beginning. */
  addressesAround: ({ family, network, prefixLength }: Cidr) => {
    const same = family === 4 ? Math.min(3, Math.floor(prefixLength / 8)) : 0
    const octets = String(network).split('.').slice(0, same)
    return ['/addresses/', ...octets.map((octet) => `${octet}.`)].join('')
  },
  network: (network: NetworkId) => `/networks/${network}`,
  networks: () => '/networks/',
  endpoint: (endpoint: EndpointId) => `/endpoints/${endpoint}`,
  endpoints: () => '/endpoints/',
  /** What an endpoint publishes. */
  endpointPorts: (endpoint: EndpointId) => `/ports/${endpoint}`,
  ports: () => '/ports/',
  iptables: () => '/iptables',
  membership: () => '/membership',
  /** Another host, as the directory had it last. */
  peer: (host: HostNumber) => `/peers/${host}`,
  peers: () => '/peers/',
  /** There when the journal has what the directory knew of this host: only then is the directory's copy to follow it. */
  takenOver: () => '/taken-over',
  /** A policy, as the directory had it last. */
  policy: (name: PolicyName) => `/policies/${name}`,
  policies: () => '/policies/',
} as const
