/**
 * Two hosts on one link, a container on each, and a server outside that is a hop away from the hosts' router:
 *
 *     web1         web2
 *      |            |
 *     host1 ------ host2
 *         \__ lan __/ 198.18.1.0/24, 2001:db8:1::/64
 *            router ---- way ---- 203.0.113.9, 2001:db8:9::9 outside
 */
import * as v from 'valibot'
import { findUnderlay } from '../../host/underlay.ts'
import { underlayMtu } from '../../network-driver/converge.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { PeerRecord } from '../../store/host-records.ts'
import { EndpointPortsRecord } from '../../store/port-records.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import { type Member, startMember } from '../support/netns-member.ts'
import { ECHO_PORT } from '../support/netns-probe.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { makeRouter, openLan } from './router.ts'
import { startContainer } from './small-world.ts'

/** Where each host publishes the echo of its container. */
const PUBLISHED = 8080
const NUMBERS = [1, 2] as const
const OUTSIDE = ['203.0.113.9', '2001:db8:9::9'] as const

export interface Mtus {
  /** Of the hosts' link, in bytes. */
  readonly underlay: number
  /** Of the link behind the hosts' router. */
  readonly way?: number
  /** Of the containers, when it is not what Romana makes of the underlay's. */
  readonly containers?: number
}

export interface MtuWorld {
  readonly outside: Netns
  /** All links get these, and nobody remembers how much went where. */
  set(mtus: Mtus): Promise<void>
  /** 64 KiB there and back, everybody to everybody: those who failed, a line each. */
  failures(): Promise<string>
}

interface Place {
  readonly kernel: KernelHost
  readonly container: Member
}

export async function makeMtuWorld(set: NetnsSet): Promise<MtuWorld> {
  const router = await makeRouter(set)
  await openLan(router)
  const outside = await connectOutside(set, router)
  const kernels = await Promise.all(NUMBERS.map((number) => attachHost(set, router, number)))
  const peers = await Promise.all(kernels.map(({ host }, index) => peerOf(host, index + 1)))
  const places = await Promise.all(
    kernels.map(async (kernel, index): Promise<Place> => {
      const container = containerOf(index + 1)
      const { mainRoutes } = await kernel.host.observe()
      const others = peers.filter((_, at) => at !== index)
      await kernel.bringTo(wantedOn(index + 1, container, { peers: others, stores: [], mainRoutes }))
      return { kernel, container: await startContainer(set, kernel, container) }
    }),
  )
  const far = await startMember(set, { name: 'outside', netns: outside, address: OUTSIDE[0] })
  return {
    outside,
    set: (mtus) => setMtus(mtus, router, outside, places),
    failures: () => transferAll(places, far),
  }
}

function containerOf(number: number) {
  const cell6 = `fd3a:1c55:9e02:${number}:1:1`
  const network = networkOf('web', `10.${number}.17.0/24 ${cell6}::/96`)
  const endpoint = endpointOf(network, `10.${number}.17.2 ${cell6}:0:2`, 1)
  return { name: `web${number}`, network, endpoint }
}

function wantedOn(
  number: number,
  { network, endpoint }: ReturnType<typeof containerOf>,
  cluster: Parameters<typeof desiredState>[0]['cluster'],
) {
  const port = { protocol: 'tcp', hostPort: PUBLISHED, containerPort: ECHO_PORT }
  const published = ['0.0.0.0', '::'].map((hostAddress) => ({ ...port, hostAddress }))
  const { endpointId } = endpoint
  return desiredState({
    ...EMPTY_HOST,
    plans: BOTH_PLANS,
    host: BigInt(number),
    networks: [network],
    endpoints: [endpoint],
    ports: [v.parse(EndpointPortsRecord, { endpointId, ports: published })],
    ...(cluster && { cluster }),
  })
}

async function connectOutside(set: NetnsSet, router: Netns): Promise<Netns> {
  const outside = await set.make('outside')
  await router.ip(
    `link add way type veth peer name eth0 netns ${outside.name}`,
    'link set way up',
    'address add 203.0.113.1/24 dev way',
    'address add 2001:db8:9::1/64 dev way nodad',
  )
  await outside.ip(
    'link set eth0 up',
    'address add 203.0.113.9/24 dev eth0',
    'address add 2001:db8:9::9/64 dev eth0 nodad',
    // It takes more than its link does, as a server behind one more link would.
    'route add default via 203.0.113.1 advmss 8900',
    'route add default via 2001:db8:9::1 advmss 8900',
  )
  return outside
}

function hostAddresses(number: number): string[] {
  return [`198.18.1.1${number}`, `2001:db8:1::1${number}`]
}

async function attachHost(set: NetnsSet, router: Netns, number: number): Promise<KernelHost> {
  const kernel = await openKernelHost(set, 'nft', `host${number}`)
  const [address, address6] = hostAddresses(number)
  const port = `to${number}`
  await router.ip(
    `link add ${port} type veth peer name eth0 netns ${kernel.netns.name}`,
    `link set ${port} master lan`,
    `link set ${port} up`,
  )
  await kernel.netns.ip(
    'link set eth0 up',
    `address add ${address}/24 dev eth0`,
    `address add ${address6}/64 dev eth0 nodad`,
    'route add default via 198.18.1.1',
    'route add default via 2001:db8:1::1',
  )
  return kernel
}

async function peerOf(host: KernelHost['host'], number: number): Promise<PeerRecord> {
  const { address6, linkAddress } = findUnderlay(await host.observe(), undefined)
  const [address] = hostAddresses(number)
  return v.parse(PeerRecord, { number, address, address6: address6 && String(address6), linkAddress })
}

async function setMtus(
  { underlay, way = underlay, containers }: Mtus,
  router: Netns,
  outside: Netns,
  places: readonly Place[],
): Promise<void> {
  const ports = NUMBERS.map((number) => `link set to${number} mtu ${underlay}`)
  await router.ip(...ports, `link set lan mtu ${underlay}`, `link set way mtu ${way}`)
  await outside.ip(`link set eth0 mtu ${way}`)
  for (const { kernel, container } of places) {
    await kernel.netns.ip(`link set eth0 mtu ${underlay}`)
    const mtu = containers ?? underlayMtu(await kernel.host.observe(), undefined, [])
    await kernel.netns.ip(`link set rmne1 mtu ${mtu}`)
    await container.netns.ip(`link set eth0 mtu ${mtu}`)
  }
  const all = [router, outside, ...places.flatMap(({ kernel, container }) => [kernel.netns, container.netns])]
  for (const { run } of all) {
    for (const family of ['-4', '-6']) await run({ file: 'ip', args: [family, 'route', 'flush', 'cache'] })
  }
}

async function transferAll(places: readonly Place[], outside: Member): Promise<string> {
  const everybody = [...places.map(({ container }) => container), outside]
  const targets = [
    ...NUMBERS.flatMap((number) =>
      hostAddresses(number).map((to) => ({ name: `web${number}, published`, to, port: PUBLISHED })),
    ),
    ...OUTSIDE.map((to) => ({ name: 'outside', to, port: ECHO_PORT })),
  ]
  const between = NUMBERS.flatMap((number) =>
    [`10.${number}.17.2`, `fd3a:1c55:9e02:${number}:1:1:0:2`].map((to) => ({
      name: `web${number}`,
      to,
      port: ECHO_PORT,
    })),
  )
  const pairs = everybody.flatMap((from) =>
    [...targets, ...(from === outside ? [] : between)]
      .filter(({ name }) => name !== from.name)
      .map((target) => ({ from, ...target })),
  )
  const lines = await Promise.all(
    pairs.map(async ({ from, name, to, port }) => {
      const answer = await from.probe('transfer', to, { port })
      return answer === '65536 bytes' ? [] : [`${from.name} -> ${name} at ${to}: ${answer}`]
    }),
  )
  return lines.flat().join('\n')
}
