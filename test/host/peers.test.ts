/** Other hosts: what this one plans for them. */
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import type { HostState, MainRoute } from '../../host/host-state.ts'
import { formatRoute } from '../../host/plan-host.ts'
import { wayTo } from '../../host/ways.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { PeerRecord } from '../../store/host-records.ts'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf, WEB } from './host-fixtures.ts'
import { bringTo } from './lived-in-kernel.ts'

const WEB_1 = endpointOf(WEB, '10.1.17.2', 1)
const STORES = [{ address: Ip.parse('198.18.1.5'), port: 2379 }]

function peer(number: number, address: string): PeerRecord {
  const linkAddress = `02:42:00:00:00:${number.toString(16).padStart(2, '0')}`
  return v.parse(PeerRecord, { number, address, linkAddress })
}

function route(destination: string, link: string, via?: string, metric = 0): MainRoute {
  return { destination: Cidr.parse(destination), link, metric, ...(via && { via: Ip.parse(via) }) }
}

const LAN = [route('198.18.1.0/24', 'eth0'), route('0.0.0.0/0', 'eth0', '198.18.1.1')]

/** The state of host 1 with one container, among these hosts. */
function among(peers: readonly PeerRecord[], mainRoutes = LAN): HostState {
  const cluster = { peers, stores: STORES, mainRoutes }
  return desiredState({ ...EMPTY_HOST, networks: [WEB], cluster })
}

async function hostAmong(...peers: readonly PeerRecord[]): Promise<FakeKernel> {
  const kernel = makeFakeKernel()
  kernel.ip('link add name eth0 mtu 1500 type dummy', 'link set dev eth0 up')
  await bringTo(among(peers), kernel)
  return kernel
}

/** The lines about routes, sets and link addresses. */
function linesOf(plan: string): string {
  return plan
    .split('\n')
    .filter((line) => /^(route|create|add|del|destroy) | --mac-source |ROMANA-ERRORS/.test(line))
    .join('\n')
}

describe('a host among others', () => {
  test('has a route for IPv6 too, to those on its link that have an IPv6 address', async () => {
    const kernel = makeFakeKernel()
    kernel.ip('link add name eth0 mtu 1500 type dummy', 'link set dev eth0 up')
    const network = networkOf('both', '10.1.17.0/24 fd3a:1c55:9e02:1:1:1::/96')
    const peers = [
      { ...peer(2, '198.18.1.12'), address6: Ip.parse('fe80::2') },
      { ...peer(3, '198.18.3.13'), address6: Ip.parse('fe80::3') },
      peer(4, '198.18.1.14'),
    ]
    const cluster = { peers, stores: STORES, mainRoutes: LAN }
    const state = desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, networks: [network], cluster })
    const plan = linesOf(await bringTo(state, kernel))
    expect(
      plan
        .split('\n')
        .filter((line) => line.includes('fd3a:') && !line.includes('RELATED'))
        .join('\n'),
    ).toBe(
      [
        '-A ROMANA-PREROUTING -s fd3a:1c55:9e02:2::/64 -i eth0 -m mac ! --mac-source 02:42:00:00:00:02 -j DROP',
        'route add unreachable fd3a:1c55:9e02::/48 table 8200 protocol 82',
        'route add fd3a:1c55:9e02:2::/64 via fe80::2 dev eth0 table 8200 protocol 82',
        'route add blackhole fd3a:1c55:9e02:1::/64 table 8200 protocol 82',
      ].join('\n'),
    )
  })

  test('has routes for IPv6 to those behind a router, whichever addresses those have', async () => {
    const network = networkOf('both', '10.1.17.0/24 fd3a:1c55:9e02:1:1:1::/96')
    const peers = [
      {
        ...peer(2, '198.18.1.12'),
        address6: Ip.parse('fe80::2'),
        globalAddress6: Ip.parse('2001:db8:1::12'),
      },
      {
        ...peer(3, '198.18.3.13'),
        address6: Ip.parse('fe80::3'),
        globalAddress6: Ip.parse('2001:db8:3::13'),
      },
      { ...peer(4, '198.18.3.14'), globalAddress6: Ip.parse('2001:db8:1::14') },
    ]
    const mainRoutes = [...LAN, route('2001:db8:1::/64', 'eth0'), route('::/0', 'eth0', 'fe80::1')]
    const cluster = { peers, stores: STORES, mainRoutes }
    const { routes } = desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, networks: [network], cluster })
    expect(
      routes.filter(({ destination }) => destination.family === 6).map((each) => formatRoute(each)),
    ).toEqual([
      'unreachable fd3a:1c55:9e02::/48 table 8200 protocol 82',
      'fd3a:1c55:9e02:2::/64 via fe80::2 dev eth0 table 8200 protocol 82',
      'fd3a:1c55:9e02:3::/64 via fe80::1 dev eth0 table 8200 protocol 82',
      'fd3a:1c55:9e02:4::/64 via 2001:db8:1::14 dev eth0 table 8200 protocol 82',
      'blackhole fd3a:1c55:9e02:1::/64 table 8200 protocol 82',
    ])
  })

  test('without a network with IPv6 hears nothing of those that have one', async () => {
    const rulesWith = async (mainRoutes: readonly MainRoute[]) => {
      const cluster = { peers: [], stores: STORES, mainRoutes }
      const kernel = makeFakeKernel()
      await bringTo(desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, networks: [WEB], cluster }), kernel)
      return kernel.show()
    }
    const rule = 'ip6tables -t raw -A ROMANA-PREROUTING -s fd3a:1c55:9e02::/48 -j DROP'
    expect(await rulesWith(LAN)).toContain(rule)
    // Whoever has such addresses here is no endpoint.
    expect(await rulesWith([...LAN, route('fd3a:1c55:9e02:7::/64', 'eth1')])).not.toContain(rule)
  })

  test('on one link has a route to each, a line against forgery for each, and all in one set', async () => {
    const kernel = makeFakeKernel()
    kernel.ip('link add name eth0 mtu 1500 type dummy', 'link set dev eth0 up')
    const plan = await bringTo(among([peer(3, '198.18.1.13'), peer(2, '198.18.1.12')]), kernel)
    expect(linesOf(plan)).toBe(
      [
        'create ROMANA-HOSTS hash:ip family inet',
        'add ROMANA-HOSTS 198.18.1.13',
        'add ROMANA-HOSTS 198.18.1.12',
        ':ROMANA-ERRORS - [0:0]',
        '-A ROMANA-ERRORS -i eth0 -m mac --mac-source 02:42:00:00:00:02 -j RETURN',
        '-A ROMANA-ERRORS -i eth0 -m mac --mac-source 02:42:00:00:00:03 -j RETURN',
        '-A ROMANA-ERRORS -j DROP',
        '-A ROMANA-FORWARD ! -s 10.0.0.0/8 -d 10.0.0.0/8 -m conntrack --ctstate RELATED --ctorigsrc 10.0.0.0/8 --ctorigdst 10.0.0.0/8 -j ROMANA-ERRORS',
        '-A ROMANA-PREROUTING -s 10.2.0.0/16 -i eth0 -m mac ! --mac-source 02:42:00:00:00:02 -j DROP',
        '-A ROMANA-PREROUTING -s 10.3.0.0/16 -i eth0 -m mac ! --mac-source 02:42:00:00:00:03 -j DROP',
        'route add unreachable 10.0.0.0/8 table 8200 protocol 82',
        'route add 10.2.0.0/16 via 198.18.1.12 dev eth0 table 8200 protocol 82',
        'route add 10.3.0.0/16 via 198.18.1.13 dev eth0 table 8200 protocol 82',
        'route add blackhole 10.1.0.0/16 table 8200 protocol 82',
      ].join('\n'),
    )
  })

  test('leads past the lines about its neighbours what they are not about', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'))
    const lines = kernel.show().split('\n')
    const chain = lines.filter((line) => line.startsWith('iptables -t raw -A ROMANA-PREROUTING '))
    expect(chain.slice(-3).map((line) => line.slice('iptables -t raw -A ROMANA-PREROUTING '.length))).toEqual(
      [
        '! -s 10.0.0.0/8 -j RETURN',
        '-i rmn+ -j RETURN',
        '-s 10.2.0.0/16 -i eth0 -m mac ! --mac-source 02:42:00:00:00:02 -j DROP',
      ],
    )
  })

  test('keeps containers from the store, and shows hosts the true source', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'))
    expect(kernel.show()).toContain('-s 10.0.0.0/8 -d 198.18.1.5/32 -p tcp -m tcp --dport 2379 -j DROP')
    expect(kernel.show()).toContain('-s 10.0.0.0/8 -m set --match-set ROMANA-HOSTS dst -j RETURN')
  })

  test('behind a router has a route to each, and takes errors from nobody for theirs alone', async () => {
    const kernel = makeFakeKernel()
    kernel.ip('link add name eth0 mtu 1500 type dummy', 'link set dev eth0 up')
    const plan = await bringTo(among([peer(2, '198.18.2.12'), peer(3, '198.18.3.13')]), kernel)
    expect(linesOf(plan)).toBe(
      [
        'create ROMANA-HOSTS hash:ip family inet',
        'add ROMANA-HOSTS 198.18.2.12',
        'add ROMANA-HOSTS 198.18.3.13',
        'route add unreachable 10.0.0.0/8 table 8200 protocol 82',
        'route add 10.2.0.0/16 via 198.18.1.1 dev eth0 table 8200 protocol 82',
        'route add 10.3.0.0/16 via 198.18.1.1 dev eth0 table 8200 protocol 82',
        'route add blackhole 10.1.0.0/16 table 8200 protocol 82',
      ].join('\n'),
    )
  })

  test('some near and some behind a router has a route to each, and none for the rest of the plan', async () => {
    const state = among([peer(2, '198.18.1.12'), peer(3, '198.18.3.13')])
    expect(state.routes.map(({ kind, destination }) => `${kind} ${destination}`)).toEqual([
      'unreachable 10.0.0.0/8',
      'via 10.2.0.0/16',
      'via 10.3.0.0/16',
      'blackhole 10.1.0.0/16',
    ])
  })

  test('of which one gets another address replaces its route, and touches no other', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'), peer(3, '198.18.1.13'))
    const moved = among([peer(2, '198.18.1.99'), peer(3, '198.18.1.13')])
    expect(await bringTo(moved, kernel)).toBe(
      [
        '# ipset restore',
        'add ROMANA-HOSTS 198.18.1.99',
        'del ROMANA-HOSTS 198.18.1.12',
        '# ip -batch',
        'route replace 10.2.0.0/16 via 198.18.1.99 dev eth0 table 8200 protocol 82',
        '',
      ].join('\n'),
    )
    expect(await bringTo(moved, kernel)).toBe('')
  })

  test('of which one is removed loses its route and its line, and keeps the others', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'), peer(3, '198.18.1.13'))
    const plan = linesOf(await bringTo(among([peer(3, '198.18.1.13')]), kernel))
    expect(plan).toContain('route delete 10.2.0.0/16 via 198.18.1.12 dev eth0 table 8200 protocol 82')
    expect(plan).not.toContain('route delete 10.3')
    expect(kernel.show()).not.toContain('10.2.0.0/16')
    expect(kernel.show()).toContain('ipset ROMANA-HOSTS 198.18.1.13')
  })

  test('leaves a route that somebody else made in another table or protocol alone', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'))
    kernel.ip('route add 10.9.0.0/16 via 198.18.1.77 dev eth0 table 8200 protocol 4')
    expect(await bringTo(among([peer(2, '198.18.1.12')]), kernel)).toBe('')
  })

  test('that has no network any more carries nothing of ours but a deaf ear for all containers', async () => {
    const kernel = await hostAmong(peer(2, '198.18.1.12'))
    const cluster = { peers: [peer(2, '198.18.1.12')], stores: [], mainRoutes: LAN }
    await bringTo(desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, cluster }), kernel)
    expect(
      kernel
        .show()
        .split('\n')
        .filter((line) => /ROMANA|8200/.test(line)),
    ).toEqual([
      'iptables -t raw -A PREROUTING -j ROMANA-PREROUTING',
      'iptables -t raw -N ROMANA-PREROUTING',
      'iptables -t raw -A ROMANA-PREROUTING -s 10.0.0.0/8 -j DROP',
      'ip6tables -t raw -A PREROUTING -j ROMANA-PREROUTING',
      'ip6tables -t raw -N ROMANA-PREROUTING',
      'ip6tables -t raw -A ROMANA-PREROUTING -s fd3a:1c55:9e02::/48 -j DROP',
    ])
  })

  test('that has no network is left alone where somebody else has addresses of the plan', () => {
    const cluster = { peers: [], stores: [], mainRoutes: [...LAN, route('10.77.0.0/16', 'eth1')] }
    expect(desiredState({ ...EMPTY_HOST, cluster }).firewall).toEqual([])
  })

  test('has as many rules with 250 others behind a router as with one, and two more for each on its link', () => {
    const many = Array.from({ length: 250 }, (_, index) => index + 2)
    const rulesAmong = (peers: readonly PeerRecord[]) =>
      among(peers).firewall.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)).length
    const far = (number: number) => peer(number, `198.19.0.${number}`)
    expect(rulesAmong(many.map(far))).toBe(rulesAmong([far(2)]))
    const near = (number: number) => peer(number, `198.18.1.${number}`)
    expect(rulesAmong(many.map(near))).toBe(rulesAmong([near(2)]) + 2 * 249)
  })

  test('with a container keeps its route beside those to hosts', async () => {
    const state = desiredState({
      ...EMPTY_HOST,
      networks: [WEB],
      endpoints: [WEB_1],
      cluster: { peers: [peer(2, '198.18.1.12')], stores: [], mainRoutes: LAN },
    })
    expect(state.routes.map(({ destination }) => String(destination))).toEqual([
      '10.0.0.0/8',
      '10.2.0.0/16',
      '10.1.0.0/16',
      '10.1.17.2/32',
    ])
  })
})

test('the way to an address is the longest prefix, then the lowest metric', () => {
  const routes = [
    route('0.0.0.0/0', 'slow', '192.0.2.1', 200),
    route('0.0.0.0/0', 'fast', '192.0.2.1', 100),
    route('198.18.0.0/16', 'wide', '192.0.2.2'),
    route('198.18.1.0/24', 'near'),
  ]
  const linkTo = (address: string) => wayTo(Ip.parse(address), routes)?.link
  expect(['198.18.1.9', '198.18.2.9', '203.0.113.1'].map(linkTo)).toEqual(['near', 'wide', 'fast'])
  expect(wayTo(Ip.parse('203.0.113.1'), [])).toBeUndefined()
})
