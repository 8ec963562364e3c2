/** A fake kernel of a host on which others live too, and how a test brings it to a wanted state. */
import type { HostState } from '../../host/host-state.ts'
import { formatHostPlan, planHost } from '../../host/plan-host.ts'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { endpointOf, WEB, wantedOf, wiringOf } from './host-fixtures.ts'

export const WEB_1 = endpointOf(WEB, '10.1.17.2', 1)
export const WEB_2 = endpointOf(WEB, '10.1.17.3', 2)

/** Links, addresses, routes and rules of others, some of which look much like ours. Forwarding is on. */
export function makeLivedInKernel(): FakeKernel {
  const kernel = makeFakeKernel()
  kernel.ip(
    'link add name eth0 mtu 1400 type dummy',
    'link set dev eth0 up',
    'address add 192.0.2.1/24 dev eth0',
    'route add default dev eth0',
    'route add 198.51.100.0/24 dev eth0',
    'link add name docker0 mtu 1500 type bridge',
    'link set dev docker0 up',
    'link add name rmnot mtu 1500 type dummy',
    'link add name veth1 mtu 1500 type veth peer name veth2 mtu 1500',
    'route add 203.0.113.0/24 dev eth0 table 8200',
    'route add 203.0.113.0/24 dev eth0 table 82 protocol 82',
    'rule add to 10.0.0.0/8 lookup 77 priority 77',
    'rule add to 203.0.113.0/24 lookup 8200 priority 8200',
  )
  kernel.iptablesRestore(4, DOCKER_FILTER + DOCKER_NAT)
  kernel.iptablesRestore(6, DOCKER_FILTER)
  kernel.setForwarding(true)
  return kernel
}

const DOCKER_FILTER = `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -i docker0 -j RETURN
-A DOCKER-USER -s 10.0.0.0/8 -m comment --comment "by hand" -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`
const DOCKER_NAT = `*nat
:DOCKER - [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
`

/** Observes, plans and carries out. Gives the plan as text: "" when there was nothing to do. */
export async function bringTo(wanted: HostState, { host }: FakeKernel): Promise<string> {
  const plan = planHost(wanted, await host.observe())
  await host.apply(plan)
  return formatHostPlan(plan)
}

/** A lived-in host with the network "web" and two endpoints, of which the first is in a container. */
export async function hostWithTwoEndpoints(): Promise<{ kernel: FakeKernel; wanted: HostState }> {
  const kernel = makeLivedInKernel()
  const wanted = wantedOf([WEB], [WEB_1, WEB_2])
  await bringTo(wantedOf([WEB]), kernel)
  for (const endpoint of [WEB_1, WEB_2]) await kernel.host.addEndpoint(wiringOf(WEB, endpoint))
  kernel.enterContainer('rmp1')
  return { kernel, wanted }
}
