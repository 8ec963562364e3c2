/**
 * The language of `ip -batch` on a fake kernel. Strict: it refuses with the words of `ip` what the kernel would refuse,
 * and throws on a line that it does not know.
 */
import { Cidr, parseAddressWithLength } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { LINK_NAME_LIMIT } from '../../host/marks.ts'
import {
  dropLink,
  type FakeIpState,
  type FakeLink,
  type FakeRoute,
  type FakeRule,
  formatAddress,
  formatFakeRoute,
  formatRule,
} from './fake-ip-state.ts'

/** What `ip` prints for an error of the kernel. */
export class IpRefusal extends Error {}

type Words = Readonly<Record<string, string>>

/** The lines that the fake knows, and what each does. */
const LANGUAGE: readonly (readonly [RegExp, (state: FakeIpState, words: Words) => void])[] = [
  [
    /^link add name (?<name>\S+) mtu (?<mtu>\d+) type veth peer name (?<peer>\S+) mtu (?<peerMtu>\d+)$/,
    addPair,
  ],
  [/^link add name (?<name>\S+) mtu (?<mtu>\d+) type (dummy|bridge)$/, addSingleLink],
  [/^link set dev (?<name>\S+) addrgenmode none alias "(?<alias>[^"]{0,255})" up$/, setUp],
  [/^link set dev (?<name>\S+) up$/, setUp],
  [/^link set dev (?<name>\S+) down$/, setDown],
  [/^link delete dev (?<name>\S+)$/, deleteLink],
  [/^address add (?<address>\S+) dev (?<name>\S+)( nodad noprefixroute)?$/, addAddress],
  [/^address delete (?<address>\S+) dev (?<name>\S+)$/, deleteAddress],
  [routeLine('add'), addRoute],
  [routeLine('replace'), replaceRoute],
  [routeLine('delete'), deleteRoute],
  [ruleLine('add'), addRule],
  [ruleLine('delete'), deleteRule],
]

function routeLine(verb: string): RegExp {
  const route =
    '((?<kind>blackhole|unreachable) (?<reject>\\S+/\\d+)|(?<to>default|\\S+/\\d+)( via (?<via>\\S+))? dev (?<name>\\S+))'
  return new RegExp(`^route ${verb} ${route}( table (?<table>\\d+))?( protocol (?<protocol>\\d+))?$`)
}

function ruleLine(verb: string): RegExp {
  const rule =
    'to (?<to>\\S+/\\d+) lookup (?<table>\\d+) priority (?<priority>\\d+)( protocol (?<protocol>\\d+))?'
  return new RegExp(`^rule ${verb} ${rule}$`)
}

/** @throws IpRefusal with the kernel's words; Error when the line is not of the language. */
export function runIpLine(state: FakeIpState, line: string): void {
  for (const [pattern, carryOut] of LANGUAGE) {
    const match = pattern.exec(line)
    if (match !== null) {
      carryOut(state, { ...match.groups })
      return
    }
  }
  throw new Error(`The fake kernel does not know the line "ip ${line}"`)
}

function addPair(state: FakeIpState, { name = '', peer = '', mtu, peerMtu }: Words): void {
  for (const end of [name, peer]) refuseNewName(state, end)
  if (name === peer) throw new IpRefusal('RTNETLINK answers: File exists')
  state.links.set(name, { name, peer, mtu: Number(mtu), alias: '', up: false })
  state.links.set(peer, { name: peer, peer: name, mtu: Number(peerMtu), alias: '', up: false })
}

function addSingleLink(state: FakeIpState, { name = '', mtu }: Words): void {
  refuseNewName(state, name)
  state.links.set(name, { name, mtu: Number(mtu), alias: '', up: false })
}

function refuseNewName(state: FakeIpState, name: string): void {
  if (name.length > LINK_NAME_LIMIT)
    throw new IpRefusal(`Error: argument "${name}" is wrong: "name" not a valid ifname`)
  if (state.links.has(name)) throw new IpRefusal('RTNETLINK answers: File exists')
}

function setUp(state: FakeIpState, { name = '', alias }: Words): void {
  const link = findLink(state, name)
  link.up = true
  link.alias = alias ?? link.alias
}

/** The kernel takes the routes of the link away. */
function setDown(state: FakeIpState, { name = '' }: Words): void {
  findLink(state, name).up = false
  state.routes = state.routes.filter(({ link }) => link !== name)
}

function deleteLink(state: FakeIpState, { name = '' }: Words): void {
  dropLink(state, findLink(state, name))
}

function findLink({ links }: FakeIpState, name: string): FakeLink {
  const link = links.get(name)
  if (link === undefined) throw new IpRefusal(`Cannot find device "${name}"`)
  return link
}

function addAddress(state: FakeIpState, { address = '', name = '' }: Words): void {
  const { name: link } = findLink(state, name)
  const added = { link, ...parseAddressWithLength(address) }
  if (state.addresses.some((present) => formatAddress(present) === formatAddress(added)))
    throw new IpRefusal('RTNETLINK answers: File exists')
  state.addresses.push(added)
}

/** The kernel takes a link's routes away with its last address of the family. */
function deleteAddress(state: FakeIpState, { address = '', name = '' }: Words): void {
  const text = `${address} dev ${findLink(state, name).name}`
  const left = state.addresses.filter((present) => formatAddress(present) !== text)
  if (left.length === state.addresses.length)
    throw new IpRefusal('RTNETLINK answers: Cannot assign requested address')
  state.addresses = left
  const { family } = parseAddressWithLength(address).address
  if (left.some((present) => present.link === name && present.address.family === family)) return
  state.routes = state.routes.filter(
    ({ link, destination }) => link !== name || destination.family !== family,
  )
}

function addRoute(state: FakeIpState, words: Words): void {
  const route = routeOf(state, words)
  if (route.link !== undefined && !findLink(state, route.link).up)
    throw new IpRefusal('RTNETLINK answers: Network is down')
  // The kernel's key of a route is table and destination: its kind and link do not make it another one.
  const taken = state.routes.some(
    ({ table, destination }) => table === route.table && destination.equals(route.destination),
  )
  if (taken) throw new IpRefusal('RTNETLINK answers: File exists')
  state.routes.push(route)
}

/** Takes the place of what has the destination, of whatever kind it is. */
function replaceRoute(state: FakeIpState, words: Words): void {
  const { table, destination } = routeOf(state, words)
  state.routes = state.routes.filter(
    (present) => present.table !== table || !present.destination.equals(destination),
  )
  addRoute(state, words)
}

function deleteRoute(state: FakeIpState, words: Words): void {
  const text = formatFakeRoute(routeOf(state, words))
  const left = state.routes.filter((route) => formatFakeRoute(route) !== text)
  if (left.length === state.routes.length) throw new IpRefusal('RTNETLINK answers: No such process')
  state.routes = left
}

function routeOf(
  state: FakeIpState,
  { kind, reject, to, via, name, table = 'main', protocol = 'boot' }: Words,
): FakeRoute {
  const destination = reject ?? to ?? ''
  const of = {
    destination: Cidr.parse(destination === 'default' ? '0.0.0.0/0' : destination),
    table,
    protocol,
  }
  if (kind === 'blackhole' || kind === 'unreachable') return { kind, ...of }
  const link = findLink(state, name ?? '').name
  return via === undefined ? { kind: 'link', link, ...of } : { kind: 'via', link, via: Ip.parse(via), ...of }
}

function addRule(state: FakeIpState, words: Words): void {
  const rule = ruleOf(words)
  if (state.rules.some((present) => formatRule(present) === formatRule(rule)))
    throw new IpRefusal('RTNETLINK answers: File exists')
  state.rules.push(rule)
}

function deleteRule(state: FakeIpState, words: Words): void {
  const text = formatRule(ruleOf(words))
  const left = state.rules.filter((rule) => formatRule(rule) !== text)
  if (left.length === state.rules.length) throw new IpRefusal('RTNETLINK answers: No such file or directory')
  state.rules = left
}

function ruleOf({ to = '', table = '', priority, protocol = 'boot' }: Words): FakeRule {
  return { to: Cidr.parse(to), table, priority: Number(priority), protocol }
}
