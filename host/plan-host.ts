/** Wanted against seen: the plan that brings this host to the wanted state, as text. Pure. */
import type { Cidr } from '../address/cidr.ts'
import { type Family, Ip } from '../address/ip.ts'
import { FORWARDING, FORWARDING6, formatSysctl, listenToRouters, type Sysctl } from './host-files.ts'
import type { HostState, LinkAddress, ObservedHost, Route } from './host-state.ts'
import { programName } from './iptables-variant.ts'
import { parseHostLink } from './link-names.ts'
import { POLICY_RULE_PRIORITY, ROUTE_PROTOCOL, ROUTE_TABLE } from './marks.ts'
import { planFirewall, type RestoreText } from './plan-firewall.ts'
import { type HostSetPlan, planHostSets } from './plan-host-set.ts'

/** The same on each link of ours: no packet with it passes on to another link. */
const LINK_LOCAL = Ip.parse('fe80::1')

/** What is to be done, in this order. Empty in every part: the host is as wanted. */
export interface HostPlan {
  /** Lines of `ipset restore`. */
  readonly hostSet: HostSetPlan
  /** Rules come first: what denies must stand before anything can pass. */
  readonly restore: readonly RestoreText[]
  /** Lines of `ip -batch`. */
  readonly ip: readonly string[]
  /** Lines of `ip -6 -batch`: it does not tell the family of a policy rule by itself. */
  readonly ip6: readonly string[]
  readonly sysctls: readonly Sysctl[]
}

/** The second plan of a host is empty: `planHost(wanted, whatTheFirstPlanMade)`. */
export function planHost(wanted: HostState, seen: ObservedHost): HostPlan {
  return {
    hostSet: planHostSets(wanted, seen),
    restore: planFirewall(wanted, seen),
    ip: [
      ...deadLinks(wanted, seen).map((name) => `link delete dev ${name}`),
      ...downLinks(wanted, seen).map((name) => `link set dev ${name} up`),
      ...planLinkAddresses(wanted.linkAddresses, seen),
      ...planRoutes(wanted, seen),
      ...planPolicyRules(wanted, seen, 4),
    ],
    ip6: planPolicyRules(wanted, seen, 6),
    sysctls: planSysctls(wanted, seen),
  }
}

/** A host that forwards is a router, and listens to others no more unless it is told to: it would lose its own way out. */
function planSysctls(wanted: HostState, seen: ObservedHost): Sysctl[] {
  const isMissing6 = wanted.forwarding6 && seen.forwarding6 !== true
  return [
    ...(wanted.forwarding && !seen.forwarding ? [FORWARDING] : []),
    ...(isMissing6 ? seen.advertisedLinks.map((link) => listenToRouters(link, '2')) : []),
    ...(isMissing6 ? [FORWARDING6] : []),
    ...seen.straySysctls,
  ]
}

/** Whether nothing is left to do. */
export function isEmptyPlan(plan: HostPlan): boolean {
  const { before, after } = plan.hostSet
  return [before, plan.restore, plan.ip, plan.ip6, after, plan.sysctls].every(({ length }) => length === 0)
}

/** The plan as a person reads it. */
export function formatHostPlan(plan: HostPlan): string {
  return [
    formatLines('ipset restore', plan.hostSet.before),
    ...plan.restore.map(({ program, text }) => `# ${programName(program)}-restore\n${text}`),
    formatLines('ip -batch', plan.ip),
    formatLines('ip -6 -batch', plan.ip6),
    formatLines('ipset restore', plan.hostSet.after),
    formatLines('sysctl', plan.sysctls.map(formatSysctl)),
  ].join('')
}

function formatLines(program: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `# ${program}\n${lines.join('\n')}\n`
}

/** A pair whose both ends are here is in no container. Only such a pair may go: a live endpoint is never cleaned up. */
function deadLinks(wanted: HostState, seen: ObservedHost): string[] {
  const recorded = new Set(wanted.links)
  return seen.links
    .filter(({ name, peerIsHere }) => parseHostLink(name) !== undefined && peerIsHere && !recorded.has(name))
    .map(({ name }) => name)
}

/** The kernel takes the routes of a link away when it goes down: they are planned as missing. */
function downLinks(wanted: HostState, seen: ObservedHost): string[] {
  const recorded = new Set(wanted.links)
  return seen.links.filter(({ name, up }) => !up && recorded.has(name)).map(({ name }) => name)
}

function planLinkAddresses(wanted: readonly LinkAddress[], seen: ObservedHost): string[] {
  const present = new Set(seen.linkAddresses.map(addressLine))
  const links = new Set(seen.links.map(({ name }) => name))
  return wanted
    .filter(({ link }) => links.has(link))
    .map(addressLine)
    .filter((line) => !present.has(line))
}

/**
 * Deletes first: a link's route to an address must be gone before another link may get it. A route to a whole prefix
 * that gets another next hop is replaced in one step: in between no packet of a container shall be lost, or leave by another table.
 */
function planRoutes(wanted: HostState, seen: ObservedHost): string[] {
  const { kept, others } = routesThatStand(wanted, seen)
  const present = new Set([...kept, ...others].map(formatRoute))
  const possible = possibleRoutes(wanted, seen, kept)
  const texts = new Set(possible.map(formatRoute))
  const stale = others.filter((route) => !texts.has(formatRoute(route)))
  const missing = possible.filter((route) => !present.has(formatRoute(route)))
  const replaced = new Set(prefixesOf(stale).filter((prefix) => prefixesOf(missing).includes(prefix)))
  const isReplaced = (route: Route) => replaced.has(`${route.destination}`) && route.kind !== 'link'
  return [
    ...stale.filter((route) => !isReplaced(route)).map((route) => `route delete ${formatRoute(route)}`),
    ...missing.map((route) => `route ${isReplaced(route) ? 'replace' : 'add'} ${formatRoute(route)}`),
  ]
}

/** The destinations of routes that are not an endpoint's: that of an endpoint is never replaced, it may be another's. */
function prefixesOf(routes: readonly Route[]): string[] {
  return routes.filter(({ kind }) => kind !== 'link').map(({ destination }) => String(destination))
}

/**
 * Of the routes that do not go with a dead link, those to a container are kept even where no record explains one: better
 * a riddle than a live endpoint cut off.
 */
function routesThatStand(wanted: HostState, seen: ObservedHost): { kept: Route[]; others: Route[] } {
  const dead = new Set(deadLinks(wanted, seen))
  const live = new Set(seen.links.filter(({ peerIsHere }) => !peerIsHere).map(({ name }) => name))
  const standing = seen.ownRoutes.filter((route) => route.kind !== 'link' || !dead.has(route.link))
  const isKept = (route: Route) => route.kind === 'link' && live.has(route.link)
  return { kept: standing.filter(isKept), others: standing.filter((route) => !isKept(route)) }
}

/** Not those of links that are not there, nor to an address that a container has through another link. */
function possibleRoutes(wanted: HostState, seen: ObservedHost, kept: readonly Route[]): Route[] {
  const links = new Set(seen.links.map(({ name }) => name))
  const holders = new Map(kept.map((route) => [String(route.destination), formatRoute(route)]))
  return wanted.routes.filter((route) => {
    const text = formatRoute(route)
    return (
      route.kind !== 'link' ||
      (links.has(route.link) && (holders.get(`${route.destination}`) ?? text) === text)
    )
  })
}

function planPolicyRules(wanted: HostState, seen: ObservedHost, family: Family): string[] {
  const textsOf = (rules: readonly Cidr[]) => rules.filter((to) => to.family === family).map(String)
  const wantedTexts = textsOf(wanted.policyRules)
  const seenTexts = textsOf(seen.ownPolicyRules)
  const selector = (to: string) =>
    `to ${to} lookup ${ROUTE_TABLE} priority ${POLICY_RULE_PRIORITY} protocol ${ROUTE_PROTOCOL}`
  return [
    ...seenTexts
      .filter((to, index) => !wantedTexts.includes(to) || seenTexts.indexOf(to) !== index)
      .map((to) => `rule delete ${selector(to)}`),
    ...wantedTexts.filter((to) => !seenTexts.includes(to)).map((to) => `rule add ${selector(to)}`),
  ]
}

/**
 * "address add 10.1.17.1/32 dev rmne5": no connected route comes of a /32, so the main table stays as it is. IPv6 has to be
 * told so; and without nodad it would not answer for the address in its first second.
 */
export function addressLine({ link, address }: LinkAddress): string {
  return address.family === 4
    ? `address add ${address}/32 dev ${link}`
    : `address add ${address}/128 dev ${link} nodad noprefixroute`
}

/**
 * The addresses of a host link. The kernel asks for an IPv6 neighbour from a link-local address only (net/ipv6/ndisc.c), and
 * we let it make none: without this one nothing that is forwarded would find the container.
 */
export function nextHops(link: string, gateways: readonly Ip[]): LinkAddress[] {
  const hasIpv6 = gateways.some(({ family }) => family === 6)
  return [...gateways, ...(hasIpv6 ? [LINK_LOCAL] : [])].map((address) => ({ link, address }))
}

/** A route as `ip route add` takes it. `add` and never `replace`: an address that another link has stays there. */
export function formatRoute(route: Route): string {
  const kind = 'link' in route ? '' : `${route.kind} `
  const via = route.kind === 'via' ? ` via ${route.via}` : ''
  const device = 'link' in route ? ` dev ${route.link}` : ''
  return `${kind}${route.destination}${via}${device} table ${ROUTE_TABLE} protocol ${ROUTE_PROTOCOL}`
}
