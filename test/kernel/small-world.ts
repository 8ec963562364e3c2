/**
 * One host, containers as the engine would wire them, two of Docker's bridge containers and an outsider at the uplink:
 *
 *     web1 web2 (tenant 1, segment 1)   db (1, 2)   vault1 vault2 (1, 3, internal)   blue (2, 1)
 *        \     \                         |            |      |                       /
 *     docker 172.17.0.2 -- dk0 -------- host -------- eth0 192.0.2.1 -- 192.0.2.254 outside
 *     docker2 172.18.0.2 -- dk1 -------/
 */
import { hostCidr } from '../../address/cidr.ts'
import type { Ip } from '../../address/ip.ts'
import { macOf } from '../../address/mac.ts'
import type { HostState } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import type { SegmentMatch } from '../../host/segment-rules.ts'
import { desiredState, type HostRecords } from '../../network-driver/desired-state.ts'
import { addressesOf, poolsOf } from '../../store/families.ts'
import type { EndpointRecord, NetworkRecord } from '../../store/records.ts'
import { DB, EMPTY_HOST, endpointOf, networkOf, VAULT, WEB, wiringOf } from '../host/host-fixtures.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import { DNS_PORT, type Member, PORT, startMember } from '../support/netns-member.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'

/** A plan address that the outsider answers to, should a packet ever get there. */
export const STRAY_PLAN_ADDRESS = '10.9.9.9'

const BLUE = networkOf('blue', '10.1.33.0/24')

export interface SmallWorld {
  readonly kernel: KernelHost
  readonly wanted: HostState
  /** @throws Error when nobody has that name. */
  member(name: string): Member
}

export interface Container {
  readonly name: string
  readonly network: NetworkRecord
  readonly endpoint: EndpointRecord
}

const CONTAINERS: readonly Container[] = [
  { name: 'web1', network: WEB, endpoint: endpointOf(WEB, '10.1.17.2', 1) },
  { name: 'web2', network: WEB, endpoint: endpointOf(WEB, '10.1.17.3', 2) },
  { name: 'db', network: DB, endpoint: endpointOf(DB, '10.1.18.2', 3) },
  { name: 'vault1', network: VAULT, endpoint: endpointOf(VAULT, '10.1.19.2', 4) },
  { name: 'vault2', network: VAULT, endpoint: endpointOf(VAULT, '10.1.19.3', 5) },
  { name: 'blue', network: BLUE, endpoint: endpointOf(BLUE, '10.1.33.2', 6) },
]

export const CONTAINER_NAMES = CONTAINERS.map(({ name }) => name)

/** What comes to a member while something is sent, whoever answers. */
export async function deliveries(to: Member, send: () => Promise<unknown>): Promise<string> {
  await to.arrivals()
  await send()
  return to.arrivals()
}

/** @param change what is otherwise than usual. */
export function wantedInSmallWorld(change: Partial<HostRecords>): HostState {
  const endpoints = CONTAINERS.map(({ endpoint }) => endpoint)
  return desiredState({ ...EMPTY_HOST, networks: [WEB, DB, VAULT, BLUE], endpoints, ...change })
}

/** It ends with the set. */
export async function makeSmallWorld(
  set: NetnsSet,
  variant: IptablesVariant,
  segmentMatch: SegmentMatch = 'bpf',
): Promise<SmallWorld> {
  const kernel = await openKernelHost(set, variant)
  const wanted = wantedInSmallWorld({ segmentMatch })
  const others = await Promise.all([
    connectDocker(set, kernel, { name: 'docker', link: 'dk0', net: '172.17.0' }),
    connectDocker(set, kernel, { name: 'docker2', link: 'dk1', net: '172.18.0' }),
    connectOutside(set, kernel),
    startMember(set, { name: 'host', netns: kernel.netns, address: '192.0.2.1', ports: [PORT, DNS_PORT] }),
  ])
  await kernel.restore(DOCKER_RULES)
  await kernel.bringTo(wanted)
  const containers = await Promise.all(CONTAINERS.map((container) => startContainer(set, kernel, container)))
  const members = [...containers, ...others]
  return {
    kernel,
    wanted,
    member(name) {
      const member = members.find((candidate) => candidate.name === name)
      if (member === undefined) throw new Error(`There is no member "${name}"`)
      return member
    },
  }
}

/** What Docker does for its bridges: they are kept apart and closed to all, and may go out. */
const DOCKER_RULES = `*filter
:FORWARD DROP [0:0]
-A FORWARD -i dk+ -o dk+ -j DROP
-A FORWARD -o dk+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i dk+ -j ACCEPT
COMMIT
*nat
-A POSTROUTING -s 172.16.0.0/12 ! -o dk+ -j MASQUERADE
COMMIT
`

export async function startContainer(
  set: NetnsSet,
  kernel: KernelHost,
  container: Container,
): Promise<Member> {
  const netns = await wireContainer(set, kernel, container)
  return startMember(set, { name: container.name, netns, address: String(container.endpoint.address) })
}

/** What the engine makes of the answer to Join: the /32 address, the gateway on the link, and routes through it. */
export async function wireContainer(
  set: NetnsSet,
  kernel: KernelHost,
  { name, network, endpoint }: Container,
): Promise<Netns> {
  const netns = await set.make(`${kernel.variant}-${name}`)
  const wiring = wiringOf(network, endpoint)
  await kernel.host.addEndpoint(wiring)
  await kernel.netns.ip(`link set dev ${wiring.links.containerLink} netns ${netns.name}`)
  const link = `link set dev ${wiring.links.containerLink} name eth0 address ${macOf(endpoint.address)} up`
  await netns.ip(link, ...addressesOf(endpoint).map(engineAddress), ...routesOf(network))
  return netns
}

function engineAddress(address: Ip): string {
  return `address add ${hostCidr(address)} dev eth0${address.family === 6 ? ' nodad' : ''}`
}

function routesOf(network: NetworkRecord): string[] {
  return poolsOf(network).flatMap(({ cell, gateway }) => [
    `route add ${hostCidr(gateway)} dev eth0`,
    `route add ${cell} via ${gateway}`,
    ...(network.internal ? [] : [`route add default via ${gateway}`]),
  ])
}

async function connectDocker(
  set: NetnsSet,
  { netns: host, variant }: KernelHost,
  { name, link, net }: { readonly name: string; readonly link: string; readonly net: string },
): Promise<Member> {
  const netns = await set.make(`${variant}-${name}`)
  await host.ip(
    `link add name ${link} type veth peer name eth0 netns ${netns.name}`,
    `address add ${net}.1/16 dev ${link}`,
    `link set dev ${link} up`,
  )
  await netns.ip(`address add ${net}.2/16 dev eth0`, 'link set dev eth0 up', `route add default via ${net}.1`)
  return startMember(set, { name, netns, address: `${net}.2` })
}

/** It knows the way to plan addresses, as a neighbour on the underlay could, and has one itself. */
async function connectOutside(set: NetnsSet, { netns: host, variant }: KernelHost): Promise<Member> {
  const netns = await set.make(`${variant}-outside`)
  await host.ip(
    `link add name eth0 type veth peer name eth0 netns ${netns.name}`,
    'address add 192.0.2.1/24 dev eth0',
    'link set dev eth0 up',
    'route add default via 192.0.2.254',
  )
  await netns.ip(
    'address add 192.0.2.254/24 dev eth0',
    `address add ${STRAY_PLAN_ADDRESS}/32 dev lo`,
    'link set dev eth0 up',
    'route add 10.0.0.0/8 via 192.0.2.1',
  )
  return startMember(set, { name: 'outside', netns, address: '192.0.2.254' })
}
