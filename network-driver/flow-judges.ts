/** Records of this host to what flows are judged by. Pure. */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import type { Family, Ip } from '../address/ip.ts'
import type { Judges } from '../host/flow-verdict.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { LinkClass } from '../host/marks.ts'
import { isLoopback } from '../host/port-rules.ts'
import { wayTo } from '../host/ways.ts'
import { addressesOf, poolsOf } from '../store/families.ts'
import type { EndpointRecord } from '../store/records.ts'
import type { HostRecords } from './desired-state.ts'
import { policiesOf } from './policy-state.ts'
import { portRules } from './port-state.ts'

/** What the rules of a host follow from, as far as they say anything of flows. */
export interface JudgedHost
  extends Pick<HostRecords, 'networks' | 'endpoints' | 'ports' | 'policies' | 'isHostOpen'>,
    Pick<Judges, 'stores'> {
  readonly plans: Plans
  /** Links that lead outside, when the setting names them; otherwise those of the default routes. */
  readonly uplinks: readonly string[] | undefined
  readonly seen: Pick<ObservedHost, 'addresses' | 'linkAddresses' | 'mainRoutes' | 'defaultLinks'>
}

/** @param plan one of the host's plans: flows of its family are judged. */
export function judgesOf(host: JudgedHost, plan: AddressPlan): Judges {
  const { isHostOpen, stores, policies } = host
  const { family } = plan.cidr
  const own = new Set(ownAddresses(host).flatMap((address) => valueIn(family, address)))
  const classes = new Map(host.endpoints.flatMap((record) => classOf(record, family)))
  return {
    plan,
    policies: policiesOf(policies),
    isHostOpen,
    stores,
    isHost: (address) => own.has(address.value) || isLoopback(address),
    linkOf: ({ value }) => classes.get(value),
    isPublished: publishedBy(host, family),
    isOutside: (address) => leadsOutside(host, address),
  }
}

function publishedBy(host: JudgedHost, family: Family): Judges['isPublished'] {
  const published = new Set(
    portRules(host)
      .filter(({ hostAddress }) => hostAddress.family === family && !isLoopback(hostAddress))
      .map(({ protocol, address, containerPort }) => `${protocol} ${address} ${containerPort}`),
  )
  return ({ protocol, server, serverPort }) => published.has(`${protocol} ${server} ${serverPort}`)
}

/** Where nobody knows the way, what was forwarded went one that this host does not see in its main table. */
function leadsOutside({ uplinks, seen }: JudgedHost, address: Ip): boolean {
  const way = wayTo(address, seen.mainRoutes)
  return way === undefined || (uplinks ?? seen.defaultLinks).includes(way.link)
}

/** Also gateways that were not there yet when the host was seen. */
function ownAddresses({ seen, networks }: JudgedHost): Ip[] {
  return [
    ...[...seen.addresses, ...seen.linkAddresses].map(({ address }) => address),
    ...networks.flatMap(poolsOf).map(({ gateway }) => gateway),
  ]
}

function classOf(record: EndpointRecord, family: Family): [bigint, LinkClass][] {
  const values = addressesOf(record).flatMap((address) => valueIn(family, address))
  return values.map((value) => [value, record.internal ? 'internal' : 'routed'])
}

function valueIn(family: Family, address: Ip): bigint[] {
  return address.family === family ? [address.value] : []
}
