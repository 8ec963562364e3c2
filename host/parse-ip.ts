/** What `ip -j` prints, as typed values. Pure. */
import * as v from 'valibot'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import { ADDRESS_BITS, type Family, Ip } from '../address/ip.ts'
import type { ForeignNetwork, LinkAddress, MainRoute, Route, SeenAddress, SeenLink } from './host-state.ts'
import { parseContainerLink, parseHostLink } from './link-names.ts'
import { POLICY_RULE_PRIORITY, ROUTE_PROTOCOL, ROUTE_TABLE } from './marks.ts'

const Links = v.array(
  v.object({
    ifname: v.string(),
    mtu: v.number(),
    address: v.optional(v.string(), ''),
    ifalias: v.optional(v.string(), ''),
    flags: v.array(v.string()),
    /** The other end, by name: present only when it lies in the same namespace. */
    link: v.optional(v.string()),
  }),
)

const Addresses = v.array(
  v.object({
    ifname: v.optional(v.string()),
    addr_info: v.optional(
      v.array(
        v.object({
          local: v.optional(v.string()),
          prefixlen: v.number(),
          scope: v.optional(v.string(), 'global'),
          /** Another one takes its place after some hours (RFC 8981). */
          temporary: v.optional(v.boolean(), false),
        }),
      ),
      [],
    ),
  }),
)

const Routes = v.array(
  v.object({
    type: v.optional(v.string(), 'unicast'),
    dst: v.string(),
    dev: v.optional(v.string()),
    gateway: v.optional(v.string()),
    prefsrc: v.optional(v.string()),
    metric: v.optional(v.number(), 0),
    /** Instead of `dev`, where there are several. */
    nexthops: v.optional(
      v.array(v.object({ dev: v.optional(v.string()), gateway: v.optional(v.string()) })),
      [],
    ),
    table: v.optional(v.string(), 'main'),
    protocol: v.optional(v.string()),
  }),
)

const PolicyRules = v.array(
  v.object({
    priority: v.number(),
    dst: v.optional(v.string()),
    dstlen: v.optional(v.number()),
    table: v.optional(v.string()),
    protocol: v.optional(v.string()),
  }),
)

/** `ip -j link show`. */
export function parseLinks(text: string): SeenLink[] {
  return v.parse(Links, jsonOf(text)).map(({ ifname, ifalias, address, mtu, flags, link }) => ({
    name: ifname,
    alias: ifalias,
    linkAddress: address,
    mtu,
    up: flags.includes('UP'),
    peerIsHere: link !== undefined,
  }))
}

/** `ip -j address show`: the addresses on host links, and those of all other links with their networks. */
export function parseAddresses(text: string): {
  own: LinkAddress[]
  others: SeenAddress[]
  foreign: ForeignNetwork[]
} {
  const own: LinkAddress[] = []
  const others: SeenAddress[] = []
  const foreign: ForeignNetwork[] = []
  for (const { ifname, addr_info } of v.parse(Addresses, jsonOf(text))) {
    for (const { local, prefixlen, scope, temporary } of addr_info) {
      if (ifname === undefined || local === undefined) continue
      const address = Ip.parse(local)
      if (parseHostLink(ifname) !== undefined) own.push({ link: ifname, address })
      else if (parseContainerLink(ifname) === undefined) {
        others.push({
          link: ifname,
          address,
          prefixLength: prefixlen,
          isGlobal: scope === 'global' && !temporary,
        })
        foreign.push({
          cidr: Cidr.around(address, prefixlen),
          seenAs: `address ${local}/${prefixlen} on ${ifname}`,
        })
      }
    }
  }
  return { own, others, foreign }
}

/** `ip -j -4|-6 route show table all protocol 82`: the routes of our own table. */
export function parseOwnRoutes(text: string, family: Family): Route[] {
  return v
    .parse(Routes, jsonOf(text))
    .filter(({ table }) => table === String(ROUTE_TABLE))
    .flatMap(({ type, dst, dev, gateway }): Route[] => {
      const destination = destinationOf(dst, family)
      if (type === 'blackhole' || type === 'unreachable') return [{ kind: type, destination }]
      if (dev === undefined) return []
      return gateway === undefined
        ? [{ kind: 'link', destination, link: dev }]
        : [{ kind: 'via', destination, via: Ip.parse(gateway), link: dev }]
    })
}

/** `ip -j -4|-6 route show table main`: the links of default routes, and all other destinations. */
export function parseMainRoutes(
  text: string,
  family: Family,
): { defaultLinks: string[]; foreign: ForeignNetwork[]; routes: MainRoute[] } {
  const routes = v.parse(Routes, jsonOf(text))
  return {
    routes: routes.flatMap((route) => mainRouteOf(route, family)),
    defaultLinks: routes
      .filter(({ dst }) => dst === 'default')
      .flatMap(({ dev, nexthops }) => [{ dev }, ...nexthops])
      .flatMap(({ dev }) => (dev === undefined ? [] : [dev])),
    foreign: routes
      .filter(({ dst }) => dst !== 'default')
      .map(({ dst, dev }) => ({
        cidr: destinationOf(dst, family),
        seenAs: `route ${dst}${dev === undefined ? '' : ` dev ${dev}`}`,
      })),
  }
}

/** Of several next hops the first, as far as Romana is concerned. */
function mainRouteOf(route: v.InferOutput<typeof Routes>[number], family: Family): MainRoute[] {
  const { dev, gateway } = route.dev === undefined ? { ...route.nexthops[0] } : route
  if (dev === undefined || route.type !== 'unicast') return []
  return [
    {
      destination:
        route.dst === 'default'
          ? Cidr.parse(family === 4 ? '0.0.0.0/0' : '::/0')
          : destinationOf(route.dst, family),
      link: dev,
      ...(gateway === undefined ? {} : { via: Ip.parse(gateway) }),
      ...(route.prefsrc === undefined ? {} : { source: Ip.parse(route.prefsrc) }),
      metric: route.metric,
    },
  ]
}

/** `ip -j -4|-6 rule show`: the destinations of our policy rules. */
export function parseOwnPolicyRules(text: string): Cidr[] {
  return v
    .parse(PolicyRules, jsonOf(text))
    .filter(
      ({ priority, table, protocol }) =>
        priority === POLICY_RULE_PRIORITY &&
        table === String(ROUTE_TABLE) &&
        protocol === String(ROUTE_PROTOCOL),
    )
    .flatMap(({ dst, dstlen }) => {
      if (dst === undefined) return []
      const address = Ip.parse(dst)
      return [Cidr.of(address, dstlen ?? ADDRESS_BITS[address.family])]
    })
}

/** `ip` leaves out the length of a /32 or /128. */
function destinationOf(text: string, family: Family): Cidr {
  const { address, prefixLength } = parseAddressWithLength(
    text.includes('/') ? text : `${text}/${ADDRESS_BITS[family]}`,
  )
  return Cidr.around(address, prefixLength)
}

/** Some versions print nothing where there is nothing to list. */
function jsonOf(text: string): unknown {
  return text.trim() === '' ? [] : JSON.parse(text)
}
