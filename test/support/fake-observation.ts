/** What the observer of `host/linux-host.ts` would see of a fake kernel. */
import { Cidr } from '../../address/cidr.ts'
import { type Family, Ip } from '../../address/ip.ts'
import { FORWARDING, FORWARDING6, formatSysctl } from '../../host/host-files.ts'
import type { ForeignNetwork, MainRoute, ObservedHost, Route, SeenTable } from '../../host/host-state.ts'
import { parseContainerLink, parseHostLink } from '../../host/link-names.ts'
import { POLICY_RULE_PRIORITY, ROUTE_PROTOCOL, ROUTE_TABLE } from '../../host/marks.ts'
import type { FakeAddress, FakeIpState, FakeRoute, FakeRule } from './fake-ip-state.ts'
import type { FakeTables } from './fake-iptables.ts'

/** The parts of a fake kernel. */
export interface FakeState {
  readonly ipState: FakeIpState
  readonly tables: Readonly<Record<Family, FakeTables>>
  readonly sysctls: ReadonlySet<string>
  /** By name. */
  readonly sets: ReadonlyMap<string, readonly string[]>
}

/** A copy: what changes in the kernel later is not seen. */
export function observeFake({ ipState, tables, sysctls, sets }: FakeState): ObservedHost {
  return {
    links: [...ipState.links.values()].map(({ name, alias, mtu, up, peer }) => ({
      name,
      alias,
      linkAddress: '',
      mtu,
      up,
      peerIsHere: peer !== undefined && ipState.links.has(peer),
    })),
    linkAddresses: ipState.addresses.filter(({ link }) => parseHostLink(link) !== undefined),
    ownPolicyRules: ipState.rules.filter(isOwnRule).map(({ to }) => to),
    ownRoutes: ipState.routes.flatMap(ownRoute),
    hostSet: sets.get('ROMANA-HOSTS')?.map((member) => Ip.parse(member)),
    hostSet6: sets.get('ROMANA-HOSTS6')?.map((member) => Ip.parse(member)),
    addresses: ipState.addresses.filter(isForeign).map((address) => ({ ...address, isGlobal: true })),
    mainRoutes: ipState.routes.flatMap(mainRoute),
    firewall: [...seenTables(tables[4], 4), ...seenTables(tables[6], 6)],
    forwarding: sysctls.has(formatSysctl(FORWARDING)),
    forwarding6: sysctls.has(formatSysctl(FORWARDING6)),
    advertisedLinks: [],
    straySysctls: [],
    defaultLinks: ipState.routes.flatMap(({ destination, link, table }) =>
      table === 'main' && isDefault(destination) && link !== undefined ? [link] : [],
    ),
    foreignNetworks: foreignNetworks(ipState),
  }
}

function isOwnRule({ priority, table, protocol }: FakeRule): boolean {
  return (
    priority === POLICY_RULE_PRIORITY && table === String(ROUTE_TABLE) && protocol === String(ROUTE_PROTOCOL)
  )
}

function ownRoute({ kind, destination, link, via, table, protocol }: FakeRoute): Route[] {
  if (table !== String(ROUTE_TABLE) || protocol !== String(ROUTE_PROTOCOL)) return []
  if (kind === 'blackhole' || kind === 'unreachable') return [{ kind, destination }]
  if (link === undefined) return []
  return via === undefined ? [{ kind: 'link', destination, link }] : [{ kind: 'via', destination, via, link }]
}

function mainRoute({ destination, link, via, table }: FakeRoute): MainRoute[] {
  if (table !== 'main' || link === undefined) return []
  return [{ destination, link, ...(via === undefined ? {} : { via }), metric: 0 }]
}

function isForeign({ link }: FakeAddress): boolean {
  return parseHostLink(link) === undefined && parseContainerLink(link) === undefined
}

function seenTables(tables: FakeTables, family: Family): SeenTable[] {
  return [...tables].map(([table, chains]) => ({
    variant: 'nft',
    family,
    table,
    chains: new Map([...chains].map(([name, { rules }]) => [name, [...rules]])),
    closed: new Set([...chains].flatMap(([name, { policy }]) => (policy === 'DROP' ? name : []))),
  }))
}

function foreignNetworks({ addresses, routes }: FakeIpState): ForeignNetwork[] {
  const ofAddresses = addresses.filter(isForeign).map(({ link, address, prefixLength }) => ({
    cidr: Cidr.around(address, prefixLength),
    seenAs: `address ${address}/${prefixLength} on ${link}`,
  }))
  const ofRoutes = routes
    .filter(({ table, destination }) => table === 'main' && !isDefault(destination))
    .map(({ destination, link }) => ({ cidr: destination, seenAs: `route ${destination} dev ${link}` }))
  return [...ofAddresses, ...ofRoutes]
}

function isDefault({ prefixLength }: Cidr): boolean {
  return prefixLength === 0
}
