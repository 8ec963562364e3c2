/**
 * What the kernel still carries and the journal does not know: the journal was lost, the containers were not. Each live
 * link says in its alias whose it is. Pure.
 */
import * as v from 'valibot'
import type { Plans } from '../address/address-plan.ts'
import type { Ip } from '../address/ip.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cellAround, gatewayOf } from '../address/prefixes.ts'
import { POSTROUTING } from '../host/firewall.ts'
import type { ObservedHost, SeenLink } from '../host/host-state.ts'
import { type LinkAlias, parseLinkAlias } from '../host/link-alias.ts'
import { parseHostLink } from '../host/link-names.ts'
import { readNat } from '../host/nat-rules.ts'
import { EndpointIdSchema, NameSchema, NetworkIdSchema } from '../store/ids.ts'
import type { EndpointRecord, NetworkPool, NetworkRecord } from '../store/records.ts'
import { linksOf } from './desired-state.ts'

/** A live endpoint as its link describes it. */
export interface AdoptedEndpoint {
  readonly endpoint: EndpointRecord
  readonly network: NetworkRecord
}

/** @param known ids of the endpoints that the journal has. */
export function findLiveEndpoints(
  seen: ObservedHost,
  plans: Plans,
  known: ReadonlySet<string>,
): AdoptedEndpoint[] {
  return seen.links.flatMap((link) => {
    const alias = parseLinkAlias(link.alias)
    // Both ends here: the engine has moved the container's end back, and no container has the endpoint.
    if (alias === undefined || link.peerIsHere || known.has(alias.endpointId)) return []
    const adopted = describe(link, alias, seen, plans)
    return adopted === undefined ? [] : [adopted]
  })
}

/**
 * Endpoints that had links and have none now: their container died while nobody could tell Romana, or the host was
 * restarted. A veth pair goes with the namespace of either end.
 *
 * A pair whose both ends are here is of a container that is about to start, since the engine moves the link some
 * milliseconds after Join. When the plugin starts it is of one that the engine stopped while the plugin was away: the link
 * was moved back, and DeleteEndpoint never came.
 */
export function findDeadEndpoints(
  seen: ObservedHost,
  endpoints: readonly EndpointRecord[],
  when: 'at start' | 'later',
): EndpointRecord[] {
  const alive = seen.links.filter(({ peerIsHere }) => when === 'later' || !peerIsHere)
  const links = new Set(alive.map(({ name }) => name))
  return endpoints.filter((endpoint) => endpoint.joined && !links.has(linksOf(endpoint).hostLink))
}

/** The highest link number in sight: later links get higher ones. */
export function highestLinkNumber(seen: ObservedHost, endpoints: readonly EndpointRecord[]): number {
  const ofLinks = seen.links.map(({ name }) => parseHostLink(name)?.linkNumber ?? 0)
  return [...ofLinks, ...endpoints.map(({ linkNumber }) => linkNumber)].reduce((a, b) => Math.max(a, b), 0)
}

const AliasNames = v.object({
  endpointId: EndpointIdSchema,
  networkId: NetworkIdSchema,
  tenant: NameSchema,
  segment: NameSchema,
})

/** Undefined: somebody else wrote the alias, or it is of another plan. */
function describe(
  link: SeenLink,
  alias: LinkAlias,
  seen: ObservedHost,
  plans: Plans,
): AdoptedEndpoint | undefined {
  const { address, address6, sandbox } = alias
  const name = parseHostLink(link.name)
  const names = v.safeParse(AliasNames, alias)
  const pool = poolAround(address, link, seen, plans)
  const pool6 = address6 && poolAround(address6, link, seen, plans)
  const isOfPlan = pool !== undefined && (address6 === undefined || pool6 !== undefined)
  if (name === undefined || !names.success || !isOfPlan) return undefined
  const { endpointId, networkId, tenant, segment } = names.output
  const internal = name.linkClass === 'internal'
  const addresses = { address, ...(address6 && { address6 }) }
  return {
    endpoint: {
      ...{ endpointId, networkId, ...addresses, linkNumber: name.linkNumber, internal, joined: true },
      // Where no link says in which container it is, each is in one of its own.
      sandbox: sandbox ?? `unknown-${endpointId}`,
    },
    network: { networkId, ...pool, ...(pool6 && { pool6 }), tenant, segment, internal, ...natOf(pool, seen) },
  }
}

/** What a rule says of the network's segment. */
function natOf({ cell }: NetworkPool, { firewall }: ObservedHost): Pick<NetworkRecord, 'nat'> {
  const tables = firewall.filter(({ table }) => table === 'nat')
  const rules = tables.flatMap(({ chains }) => chains.get(POSTROUTING) ?? [])
  const nat = readNat(rules, cell)
  return nat === undefined ? {} : { nat }
}

/** The pool of an address, with the gateway that its link has. Undefined: the address is of another plan. */
function poolAround(
  address: Ip,
  link: SeenLink,
  { linkAddresses }: ObservedHost,
  plans: Plans,
): NetworkPool | undefined {
  const plan = planOf(plans, address.family)
  if (plan === undefined || !plan.cidr.contains(address)) return undefined
  const cell = cellAround(plan, address)
  const gateway = linkAddresses.find((seen) => seen.link === link.name && cell.contains(seen.address))
  return { cell, gateway: gateway?.address ?? gatewayOf(cell), auxiliary: [] }
}
