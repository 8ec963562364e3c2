/**
 * One host, open to its containers, whose members of the store are everywhere: outside, on the host itself, and in a container of
 * Docker that publishes its port.
 *
 *     web 10.1.17.2 -------- host -------- eth0 192.0.2.1 -- 192.0.2.254 outside
 *     docker 172.17.0.2 -- dk0 --/
 */
import { Ip } from '../../address/ip.ts'
import type { HostState } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { withPlaces } from '../../host/store-rules.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import { type Member, PORT, startMember } from '../support/netns-member.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { startContainer } from './small-world.ts'

const HOST6 = 'fd3a:1c55:9e02:1'
const WEB = networkOf('web', `10.1.17.0/24 ${HOST6}:1:1::/96`)
const WEB_1 = endpointOf(WEB, `10.1.17.2 ${HOST6}:1:1:0:2`, 1)

/** All addresses of the host but those of its loopback. */
export const HOST_ADDRESSES = [
  '192.0.2.1',
  '10.1.17.1',
  '172.17.0.1',
  '2001:db8::1',
  `${HOST6}:1:1:0:1`,
  'fd17::1',
]
export const OUTSIDE = { 4: '192.0.2.254', 6: '2001:db8::254' } as const
/** Ports of the host that lead to others: of the store, and of somebody else. */
export const STORE_PORT = 2379
export const OTHER_PORT = 2380
/** A port of the host that leads to another of its own, which is open. */
export const REDIRECTED_PORT = 2479
const HOST_PORT = 2480
/** Where the agents of this world's flows listen. */
export const FLOW_PORT = 2400

const MEMBERS = [
  `192.0.2.1 ${STORE_PORT}`,
  `2001:db8::1 ${REDIRECTED_PORT}`,
  `192.0.2.1 ${FLOW_PORT}`,
  `${OUTSIDE[4]} ${PORT}`,
  `${OUTSIDE[6]} ${PORT}`,
  `${OUTSIDE[4]} ${FLOW_PORT}`,
  `${OUTSIDE[6]} ${FLOW_PORT}`,
]

export interface StoreWorld {
  readonly kernel: KernelHost
  readonly wanted: HostState
  readonly web: Member
  readonly outside: Netns
}

/** It ends with the set. */
export async function makeStoreWorld(set: NetnsSet, variant: IptablesVariant): Promise<StoreWorld> {
  const kernel = await openKernelHost(set, variant)
  const outside = await connect(set, kernel, {
    name: 'outside',
    link: 'eth0',
    net: '192.0.2',
    net6: '2001:db8:',
  })
  const docker = await connect(set, kernel, { name: 'docker', link: 'dk0', net: '172.17.0', net6: 'fd17:' })
  await startMember(set, { name: 'outside', netns: outside, address: OUTSIDE[4], ports: [PORT, OTHER_PORT] })
  await startMember(set, { name: 'docker', netns: docker, address: '172.17.0.254' })
  await startMember(set, { name: 'host', netns: kernel.netns, address: '192.0.2.1', ports: [HOST_PORT] })
  await kernel.restore(rulesOf('172.17.0.254'))
  await kernel.restore(rulesOf('[fd17::254]'), 6)
  const stores = withPlaces(
    MEMBERS.map((text) => {
      const [address = '', port] = text.split(' ')
      return { address: Ip.parse(address), port: Number(port) }
    }),
    await kernel.host.observe(),
  )
  const wanted = desiredState({
    ...EMPTY_HOST,
    plans: BOTH_PLANS,
    networks: [WEB],
    endpoints: [WEB_1],
    isHostOpen: true,
    cluster: { peers: [], stores, mainRoutes: [] },
  })
  await kernel.bringTo(wanted)
  const web = await startContainer(set, kernel, { name: 'web', network: WEB, endpoint: WEB_1 })
  return { kernel, wanted, web, outside }
}

/** What Docker does for a container that publishes two ports, and a person for one of the host's own. */
function rulesOf(member: string): string {
  const toMember = (port: number) =>
    `-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport ${port} -j DNAT --to-destination ${member}:${PORT}`
  return `*filter
:FORWARD DROP [0:0]
-A FORWARD -o dk0 -p tcp -m tcp --dport ${PORT} -j ACCEPT
-A FORWARD -i dk0 -j ACCEPT
COMMIT
*nat
${toMember(STORE_PORT)}
${toMember(OTHER_PORT)}
-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport ${REDIRECTED_PORT} -j REDIRECT --to-ports ${HOST_PORT}
COMMIT
`
}

/** A neighbour of the host on a link of its own, who has the host for his router. */
async function connect(
  set: NetnsSet,
  { netns: host, variant }: KernelHost,
  wish: { readonly name: string; readonly link: string; readonly net: string; readonly net6: string },
): Promise<Netns> {
  const { link, net, net6 } = wish
  const netns = await set.make(`${variant}-${wish.name}`)
  await host.ip(
    `link add name ${link} type veth peer name eth0 netns ${netns.name}`,
    `address add ${net}.1/24 dev ${link}`,
    `address add ${net6}:1/64 dev ${link} nodad`,
    `link set dev ${link} up`,
  )
  await netns.ip(
    `address add ${net}.254/24 dev eth0`,
    `address add ${net6}:254/64 dev eth0 nodad`,
    'link set dev eth0 up',
    `route add default via ${net}.1`,
    `route add default via ${net6}:1`,
  )
  return netns
}
