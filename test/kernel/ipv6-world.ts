/**
 * One host, containers with IPv6 alone and with both families, and an outsider at the uplink:
 *
 *     web1 (both)  web2 (IPv6 only)  db  vault1 vault2 (internal)  blue   old (IPv4 only)
 *        \           \                |     |     |                 /      /
 *                              host -------- eth0 2001:db8::1 -- 2001:db8::254 outside
 */
import type { HostState } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import type { SegmentMatch } from '../../host/segment-rules.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { addressesOf } from '../../store/families.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'
import type { NetnsSet } from '../support/netns.ts'
import { DNS_PORT, type Member, PORT, startMember } from '../support/netns-member.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { startContainer } from './small-world.ts'

const HOST6 = 'fd3a:1c55:9e02:1'
export const HOST_ADDRESS = '2001:db8::1'

const WEB = networkOf('web', `10.1.17.0/24 ${HOST6}:1:1::/96`)
/** Of the same segment, with IPv6 alone. */
const WEB6 = networkOf('web6', `${HOST6}:1:1::/96`)
const DB = networkOf('db', `10.1.18.0/24 ${HOST6}:1:2::/96`)
const VAULT = networkOf('vault', `${HOST6}:1:3::/96`, true)
const BLUE = networkOf('blue', `10.1.33.0/24 ${HOST6}:2:1::/96`)
const OLD = networkOf('old', '10.1.34.0/24')

const CONTAINERS = [
  { name: 'web1', network: WEB, endpoint: endpointOf(WEB, `10.1.17.2 ${HOST6}:1:1:0:2`, 1) },
  { name: 'web2', network: WEB6, endpoint: endpointOf(WEB6, `${HOST6}:1:1:0:3`, 2) },
  { name: 'db', network: DB, endpoint: endpointOf(DB, `10.1.18.2 ${HOST6}:1:2:0:2`, 3) },
  { name: 'vault1', network: VAULT, endpoint: endpointOf(VAULT, `${HOST6}:1:3:0:2`, 4) },
  { name: 'vault2', network: VAULT, endpoint: endpointOf(VAULT, `${HOST6}:1:3:0:3`, 5) },
  { name: 'blue', network: BLUE, endpoint: endpointOf(BLUE, `10.1.33.2 ${HOST6}:2:1:0:2`, 6) },
  { name: 'old', network: OLD, endpoint: endpointOf(OLD, '10.1.34.2', 7) },
] as const

/** Those that have an IPv6 address. */
export const CONTAINER_NAMES = CONTAINERS.map(({ name }) => name).filter((name) => name !== 'old')

/** As long as no network has IPv6: there is `old` alone. */
export const IPV4_STATE = desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, networks: [OLD] })

export interface Ipv6World {
  readonly kernel: KernelHost
  readonly wanted: HostState
  /** @throws Error when nobody has that name. */
  member(name: string): Member
}

/** The host with all its networks and containers. */
export function wantedBy(segmentMatch: SegmentMatch): HostState {
  return desiredState({
    ...EMPTY_HOST,
    plans: BOTH_PLANS,
    networks: [WEB, WEB6, DB, VAULT, BLUE, OLD],
    endpoints: CONTAINERS.map(({ endpoint }) => endpoint),
    segmentMatch,
  })
}

/** It ends with the set. */
export async function makeIpv6World(set: NetnsSet, variant: IptablesVariant): Promise<Ipv6World> {
  const kernel = await openKernelHost(set, variant)
  const wanted = wantedBy('bpf')
  const others = await Promise.all([
    connectOutside(set, kernel),
    startMember(set, { name: 'host', netns: kernel.netns, address: HOST_ADDRESS, ports: [PORT, DNS_PORT] }),
  ])
  await kernel.bringTo(wanted)
  const containers = await Promise.all(CONTAINERS.map((container) => startByIpv6(set, kernel, container)))
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

/** It is known by its IPv6 address, where it has one. */
async function startByIpv6(
  set: NetnsSet,
  kernel: KernelHost,
  container: (typeof CONTAINERS)[number],
): Promise<Member> {
  const member = await startContainer(set, kernel, container)
  return { ...member, address: String(addressesOf(container.endpoint).at(-1)) }
}

/** It knows the way to the plan, as a neighbour on the underlay could. */
async function connectOutside(set: NetnsSet, { netns: host, variant }: KernelHost): Promise<Member> {
  const netns = await set.make(`${variant}-outside`)
  await host.ip(
    `link add name eth0 type veth peer name eth0 netns ${netns.name}`,
    `address add ${HOST_ADDRESS}/64 dev eth0 nodad`,
    'link set dev eth0 up',
  )
  await netns.ip('address add 2001:db8::254/64 dev eth0 nodad', 'link set dev eth0 up')
  await host.ip('route add default via 2001:db8::254')
  await netns.ip(`route add ${BOTH_PLANS.ipv6.cidr} via ${HOST_ADDRESS}`)
  return startMember(set, { name: 'outside', netns, address: '2001:db8::254' })
}
