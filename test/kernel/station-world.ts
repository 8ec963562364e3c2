/**
 * One host, containers of both families as the engine would wire them, and an outsider at the uplink, each with an agent that
 * probes all others at once:
 *
 *     web1 web2 (tenant 1, segment 1)   db (1, 2)   vault1 vault2 (1, 3, internal)   blue (2, 1)
 *        \     \                         |            |      |                       /
 *                         host -------- eth0 192.0.2.1, 2001:db8::1 -- 192.0.2.254, 2001:db8::254 outside
 */

import type { Plans } from '../../address/address-plan.ts'
import type { HostState } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { namespacePath } from '../../lab/lab-names.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { addressesOf } from '../../store/families.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import type { Place, PlaceKind } from '../truth-table/place.ts'
import { openAgents, type ProbeAgents } from '../truth-table/probe-agent.ts'
import type { Station } from '../truth-table/station.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { type Container, wireContainer } from './small-world.ts'

export interface StationWorld {
  readonly kernel: KernelHost
  readonly plans: Required<Plans>
  /** Without masquerade, so that the outsider tells who calls. */
  readonly wanted: HostState
  readonly stations: readonly Station[]
  /** @throws Error when nobody has that name. */
  station(name: string): Station
  /** As a path. */
  netnsOf(name: string): string
}

const NETWORKS = {
  web: networkOf('web', cellsOf(1, 1)),
  db: networkOf('db', cellsOf(1, 2)),
  vault: networkOf('vault', cellsOf(1, 3), true),
  blue: networkOf('blue', cellsOf(2, 1)),
}

const CONTAINERS: readonly Container[] = [
  { name: 'web1', network: NETWORKS.web, endpoint: endpointOf(NETWORKS.web, addressPair(1, 1, 2), 1) },
  { name: 'web2', network: NETWORKS.web, endpoint: endpointOf(NETWORKS.web, addressPair(1, 1, 3), 2) },
  { name: 'db', network: NETWORKS.db, endpoint: endpointOf(NETWORKS.db, addressPair(1, 2, 2), 3) },
  { name: 'vault1', network: NETWORKS.vault, endpoint: endpointOf(NETWORKS.vault, addressPair(1, 3, 2), 4) },
  { name: 'vault2', network: NETWORKS.vault, endpoint: endpointOf(NETWORKS.vault, addressPair(1, 3, 3), 5) },
  { name: 'blue', network: NETWORKS.blue, endpoint: endpointOf(NETWORKS.blue, addressPair(2, 1, 2), 6) },
]

function cellsOf(tenant: number, segment: number): string {
  return `10.1.${tenant * 16 + segment}.0/24 fd3a:1c55:9e02:1:${tenant}:${segment}::/96`
}

function addressPair(tenant: number, segment: number, last: number): string {
  return `10.1.${tenant * 16 + segment}.${last} fd3a:1c55:9e02:1:${tenant}:${segment}:0:${last}`
}

const HOST_ADDRESSES = ['192.0.2.1', '2001:db8::1']
const OUTSIDE_ADDRESSES = ['192.0.2.254', '2001:db8::254']

/** It ends with the set. */
export async function makeStationWorld(set: NetnsSet, variant: IptablesVariant): Promise<StationWorld> {
  const kernel = await openKernelHost(set, variant)
  const wanted = desiredState({
    ...EMPTY_HOST,
    plans: BOTH_PLANS,
    networks: Object.values(NETWORKS),
    endpoints: CONTAINERS.map(({ endpoint }) => endpoint),
    masquerade: false,
  })
  const outside = await connectOutside(set, kernel)
  await kernel.bringTo(wanted)
  const agents = openAgents()
  set.defer(async () => await agents[Symbol.asyncDispose]())
  const netnses = new Map([
    ['host', kernel.netns],
    ['outside', outside],
  ])
  for (const container of CONTAINERS) netnses.set(container.name, await wireContainer(set, kernel, container))
  const netnsOf = (name: string) => namespacePath(netnses.get(name)?.name ?? name)
  const stations = await Promise.all([
    ...CONTAINERS.map(({ name, endpoint }) =>
      makeStation({
        name,
        kind: 'container',
        agents,
        netns: netnsOf(name),
        doors: addressesOf(endpoint).map(String),
      }),
    ),
    makeStation({
      name: 'host',
      kind: 'host',
      agents,
      netns: netnsOf('host'),
      doors: HOST_ADDRESSES,
      // It calls a container from the gateway's address.
      sources: wanted.linkAddresses.map(({ address }) => String(address)),
    }),
    makeStation({
      name: 'outside',
      kind: 'outside',
      agents,
      netns: netnsOf('outside'),
      doors: OUTSIDE_ADDRESSES,
    }),
  ])
  return {
    kernel,
    plans: BOTH_PLANS,
    wanted,
    stations,
    station(name) {
      const station = stations.find((candidate) => candidate.name === name)
      if (station === undefined) throw new Error(`There is no station "${name}"`)
      return station
    },
    netnsOf,
  }
}

async function makeStation({
  name,
  kind,
  agents,
  netns,
  doors,
  sources = [],
}: {
  readonly name: string
  readonly kind: PlaceKind
  readonly agents: ProbeAgents
  readonly netns: string
  readonly doors: readonly string[]
  readonly sources?: readonly string[]
}): Promise<Station> {
  const place: Place = { name, kind, ...(kind === 'host' ? { host: name } : {}) }
  return {
    ...place,
    agent: await agents.in(netns),
    sources: [...doors, ...sources],
    doors: doors.map((address) => ({
      place,
      address,
      name: address.includes(':') ? `${name} over IPv6` : name,
    })),
  }
}

/** It knows the way to the plans, as a neighbour on the underlay could. */
async function connectOutside(set: NetnsSet, { netns: host, variant }: KernelHost): Promise<Netns> {
  const netns = await set.make(`${variant}-outside`)
  await host.ip(
    `link add name eth0 type veth peer name eth0 netns ${netns.name}`,
    'address add 192.0.2.1/24 dev eth0',
    'address add 2001:db8::1/64 dev eth0 nodad',
    'link set dev eth0 up',
  )
  await netns.ip(
    'address add 192.0.2.254/24 dev eth0',
    'address add 2001:db8::254/64 dev eth0 nodad',
    'link set dev eth0 up',
    `route add ${BOTH_PLANS.ipv4.cidr} via 192.0.2.1`,
    `route add ${BOTH_PLANS.ipv6.cidr} via 2001:db8::1`,
  )
  await host.ip('route add default via 192.0.2.254', 'route add default via 2001:db8::254')
  return netns
}
