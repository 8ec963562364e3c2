/** Links, addresses, routes and policy rules of a kernel that does not exist, and how they are shown. */
import type { Cidr } from '../../address/cidr.ts'
import type { Ip } from '../../address/ip.ts'

export interface FakeLink {
  readonly name: string
  readonly mtu: number
  /** The other end of a veth pair, wherever it lies. */
  readonly peer?: string
  alias: string
  up: boolean
}

export interface FakeAddress {
  readonly link: string
  readonly address: Ip
  readonly prefixLength: number
}

export interface FakeRoute {
  readonly kind: 'link' | 'via' | 'blackhole' | 'unreachable'
  readonly destination: Cidr
  readonly link?: string
  readonly via?: Ip
  readonly table: string
  readonly protocol: string
}

export interface FakeRule {
  readonly to: Cidr
  readonly table: string
  readonly priority: number
  readonly protocol: string
}

/** What the lines of `ip` have made. */
export interface FakeIpState {
  readonly links: Map<string, FakeLink>
  /** Ends of veth pairs in other namespaces, by name. */
  readonly elsewhere: Map<string, FakeLink>
  addresses: FakeAddress[]
  routes: FakeRoute[]
  rules: FakeRule[]
}

export function emptyIpState(): FakeIpState {
  return { links: new Map(), elsewhere: new Map(), addresses: [], routes: [], rules: [] }
}

/** A link goes with all that hangs on it, and so does the other end of its pair. */
export function dropLink(state: FakeIpState, { name, peer }: FakeLink): void {
  for (const gone of [name, peer]) {
    if (gone === undefined) continue
    state.links.delete(gone)
    state.elsewhere.delete(gone)
    state.addresses = state.addresses.filter(({ link }) => link !== gone)
    state.routes = state.routes.filter(({ link }) => link !== gone)
  }
}

/** All objects, one a line, sorted, much as `ip` prints them. */
export function showIpState({ links, addresses, routes, rules }: FakeIpState): string[] {
  return [
    ...[...links.values()].map((link) => formatLink(link, links)).sort(),
    ...addresses.map((address) => `address ${formatAddress(address)}`).sort(),
    ...rules.map((rule) => `rule ${formatRule(rule)}`).sort(),
    ...routes.map((route) => `route ${formatFakeRoute(route)}`).sort(),
  ]
}

function formatLink({ name, mtu, peer, alias, up }: FakeLink, links: ReadonlyMap<string, FakeLink>): string {
  const end = peer === undefined ? '' : ` peer ${links.has(peer) ? peer : 'elsewhere'}`
  return `link ${name} mtu ${mtu}${end} ${up ? 'up' : 'down'}${alias === '' ? '' : ` alias "${alias}"`}`
}

/** As `address add` takes it. */
export function formatAddress({ link, address, prefixLength }: FakeAddress): string {
  return `${address}/${prefixLength} dev ${link}`
}

/** As `route add` takes it. */
export function formatFakeRoute({ kind, destination, link, via, table, protocol }: FakeRoute): string {
  const to = destination.prefixLength === 0 ? 'default' : `${destination}`
  const way = via === undefined ? `dev ${link}` : `via ${via} dev ${link}`
  const target = link === undefined ? `${kind} ${to}` : `${to} ${way}`
  return `${target} table ${table} protocol ${protocol}`
}

/** As `rule add` takes it. */
export function formatRule({ to, table, priority, protocol }: FakeRule): string {
  return `to ${to} lookup ${table} priority ${priority} protocol ${protocol}`
}
