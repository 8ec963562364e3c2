/** What the engine is told in answer to Join: which link to move, and the routes of the container. Pure. */
import type { Plans } from '../address/address-plan.ts'
import { type Cidr, hostCidr } from '../address/cidr.ts'
import { decodeAddress } from '../address/codec.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cellOnHost } from '../address/prefixes.ts'
import { poolsOf } from '../store/families.ts'
import type { EndpointRecord, NetworkRecord } from '../store/records.ts'
import { linksOf } from './desired-state.ts'
import { type RoutedHosts, routedHosts } from './routed-hosts.ts'
import { type JoinAnswer, ROUTE_TYPE } from './wire.ts'

/** Where the endpoint's segment is. */
export interface SegmentPlaces {
  readonly plans: Plans
  /** The other hosts. */
  readonly peers: RoutedHosts['peers']
  /** Whether other hosts can join. */
  readonly isCluster: boolean
}

/**
 * The gateway is reached by a route on the link, since a /32 knows no neighbours. It is the cell's own, so that two
 * Romana networks of one container do not clash. The routes to the segment's cells, here and on the other hosts, make a
 * container with several networks answer each peer by the link on which it was asked; its default route has but one link, and
 * from there the answer would not pass the check of its source. With a gateway the engine leaves docker_gwbridge away; an
 * internal network must not have one, since it would become the container's way out.
 */
export function joinAnswer(
  endpoint: EndpointRecord,
  network: NetworkRecord,
  places: SegmentPlaces,
): JoinAnswer {
  return {
    InterfaceName: { SrcName: linksOf(endpoint).containerLink, DstPrefix: 'eth' },
    ...(network.internal ? {} : gatewaysOf(network)),
    StaticRoutes: poolsOf(network).flatMap(({ cell, gateway }) => [
      { Destination: String(hostCidr(gateway)), RouteType: ROUTE_TYPE.connected, NextHop: '' },
      ...[cell, ...cellsElsewhere(cell, places)].map((destination) => ({
        Destination: String(destination),
        RouteType: ROUTE_TYPE.nextHop,
        NextHop: String(gateway),
      })),
    ]),
  }
}

function cellsElsewhere(cell: Cidr, { plans, ...places }: SegmentPlaces): Cidr[] {
  const plan = planOf(plans, cell.family)
  const own = plan && decodeAddress(plan, cell.network)?.host
  if (plan === undefined || own === undefined) return []
  return routedHosts({ ...places, plan: plans.ipv4, own }).map((number) => cellOnHost(plan, cell, number))
}

function gatewaysOf(network: NetworkRecord): Pick<JoinAnswer, 'Gateway' | 'GatewayIPv6'> {
  const names = { 4: 'Gateway', 6: 'GatewayIPv6' } as const
  return Object.fromEntries(poolsOf(network).map(({ gateway }) => [names[gateway.family], String(gateway)]))
}
