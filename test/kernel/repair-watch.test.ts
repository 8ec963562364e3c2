/** The watch on a real kernel: what it tells, and what it leaves unsaid. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startMonitor } from '../../host/processes.ts'
import { watchHost } from '../../host/watch.ts'
import type { NetworkRecord } from '../../store/records.ts'
import { endpointOf, VAULT, WEB, wantedOf, wiringOf } from '../host/host-fixtures.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { type KernelHost, openKernelHost, VARIANTS } from './kernel-host.ts'
import { moveIn } from './lived-in-host.ts'

const WEB_1 = endpointOf(WEB, '10.1.17.5', 1)
const VAULT_2 = endpointOf(VAULT, '10.1.19.5', 2)
const WANTED = wantedOf([WEB, VAULT], [WEB_1, VAULT_2])

const IP_COMMANDS: readonly (readonly [what: string, command: string])[] = [
  ['the policy rule is deleted', 'ip rule delete priority 8200 protocol 82'],
  ['our routes are flushed', 'ip route flush table 8200'],
  ['one route is deleted', 'ip route delete 10.1.17.5/32 table 8200'],
  ['a gateway is deleted', 'ip address delete 10.1.19.1/32 dev rmni2'],
  ['the link of a container is set down', 'ip link set dev rmne1 down'],
  ['forwarding is switched off', 'sysctl -qw net.ipv4.ip_forward=0'],
  ['the default route goes', 'ip route delete default'],
]
const IPTABLES_COMMANDS: readonly (readonly [what: string, command: string])[] = [
  ["a rule is put between the person's chain and our jump", 'IPTABLES -I FORWARD 2 -s 192.0.2.9 -j ACCEPT'],
  ["the jump to the person's own chain is replaced", 'IPTABLES -R FORWARD 1 -j ACCEPT'],
  ["a jump to somebody's chain is put above ours", 'IPTABLES -I FORWARD 1 -j DOCKER'],
  ['all rules are flushed', 'IPTABLES -F'],
  ['our chain is flushed', 'IPTABLES -F ROMANA-FORWARD'],
  ['one rule is deleted', 'IPTABLES -D ROMANA-HOST -j DROP'],
  ['a rule is added to our chain', 'IPTABLES -A ROMANA-INPUT -j ACCEPT'],
  ['our jump is deleted', 'IPTABLES -t raw -D PREROUTING -j ROMANA-PREROUTING'],
  ['a rule is put before our jump', 'IPTABLES -I INPUT 1 -s 192.0.2.9 -j ACCEPT'],
  ['the nat table is flushed', 'IPTABLES -t nat -F'],
  ['the rule of IPv6 is flushed', 'IP6TABLES -t raw -F'],
]

const namespaces = makeNetnsSet()
afterAll(() => namespaces.removeAll())

const NFT_COMMANDS: readonly (readonly [what: string, command: string])[] = [
  [
    "a rule is added behind the person's chain, before ours",
    'add rule ip filter FORWARD handle HANDLE accept',
  ],
  ["the jump to the person's own chain is replaced", 'replace rule ip filter FORWARD handle HANDLE accept'],
]

describe.each(VARIANTS)('a host with iptables-%s that is watched', (variant) => {
  let host: KernelHost
  let container: Netns
  const told: string[] = []

  beforeAll(async () => {
    host = await openKernelHost(namespaces, variant, 'watched')
    container = await namespaces.make(`container-${variant}`)
    await moveIn(host)
    await host.bringTo(wantedOf([WEB, VAULT]))
    await enter(WEB, 1, '10.1.17.5')
    await enter(VAULT, 2, '10.1.19.5')
    const { run, name } = host.netns
    const watch = watchHost({
      run,
      startMonitor: (file, args) => startMonitor('nsenter', [`--net=/run/netns/${name}`, file, ...args]),
      onChange: (what) => told.push(...what),
      onTrouble: (text) => told.push(text),
    })
    namespaces.defer(() => watch.close())
    watch.follow({ ...WANTED, iptables: variant })
    await vi.waitFor(() => expect(told.join('\n')).toContain('has begun to tell'))
    await calm()
  })

  /** A container starts: the driver makes the links, the engine moves one. */
  async function enter(network: NetworkRecord, linkNumber: number, address: string): Promise<void> {
    await host.host.addEndpoint(wiringOf(network, endpointOf(network, address, linkNumber)))
    await host.netns.ip(`link set dev rmp${linkNumber} netns ${container.name}`)
    await container.ip(`link set dev rmp${linkNumber} up`)
  }

  /** Puts back what is missing and lets the watch finish what it has to say. */
  async function calm(): Promise<void> {
    await host.bringTo(WANTED)
    do {
      told.length = 0
      await pause(400)
    } while (told.length > 0)
  }

  test.each([...(variant === 'nft' ? IP_COMMANDS : []), ...IPTABLES_COMMANDS])(
    'tells soon that %s',
    async (_what, command) => {
      await typeIn(command)
      await expect.poll(() => told, { timeout: 5_000, interval: 20 }).not.toEqual([])
      await host.netns.run({ file: 'sysctl', args: ['-qw', 'net.ipv4.ip_forward=1'] })
      await host.netns.ip('route replace default via 192.0.2.254')
      await calm()
    },
  )

  test.each(variant === 'nft' ? NFT_COMMANDS : [])('tells soon that by nft %s', async (_what, command) => {
    await typeIn('IPTABLES -I FORWARD 1 -j DOCKER-USER')
    await calm()
    const shown = await host.netns.run({
      file: 'nft',
      args: ['-a', 'list', 'chain', 'ip', 'filter', 'FORWARD'],
    })
    const [, handle = ''] = /jump DOCKER-USER # handle (\d+)/.exec(shown) ?? []
    await host.netns.run({ file: 'nft', args: command.replace('HANDLE', handle).split(' ') })
    await expect.poll(() => told, { timeout: 5_000, interval: 20 }).not.toEqual([])
    await calm()
  })

  test('says nothing of a container that starts and stops', async () => {
    await enter(WEB, 3, '10.1.17.6')
    await pause(300)
    await container.ip('link set dev rmp3 down')
    await container.run({
      file: 'ip',
      args: ['link', 'set', 'dev', 'rmp3', 'netns', `/run/netns/${host.netns.name}`],
    })
    await host.host.removeEndpoint('rmne3')
    await pause(1_500)
    expect(told).toEqual([])
  })

  test('says nothing of a container that is killed, with all its links', async () => {
    const doomed = await namespaces.make(`doomed-${variant}`)
    await host.host.addEndpoint(wiringOf(WEB, endpointOf(WEB, '10.1.17.7', 4)))
    await host.netns.ip(`link set dev rmp4 netns ${doomed.name}`)
    await doomed.ip('link set dev rmp4 up', 'link delete dev rmp4')
    await pause(1_500)
    expect(told).toEqual([])
  })

  test("says nothing of the engine's rules for a bridge container, and of the rest of the host", async () => {
    await typeIn('IPTABLES -t raw -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP')
    await typeIn('IPTABLES -t nat -A DOCKER -p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80')
    await typeIn(
      'IPTABLES -t nat -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp --dport 80 -j MASQUERADE',
    )
    await typeIn('IPTABLES -I DOCKER 1 -d 172.17.0.2/32 -p tcp --dport 80 -j ACCEPT')
    await host.netns.ip(
      'link add name veth7 type veth peer name veth8',
      'link set dev veth7 master docker0 up',
      'link delete dev veth7',
      'address add 192.0.2.7/24 dev eth0',
      'address delete 192.0.2.7/24 dev eth0',
      'route add 10.99.0.0/16 dev eth0',
      'route delete 10.99.0.0/16 dev eth0',
      'rule add to 10.0.0.0/8 lookup 77 priority 78',
      'rule delete priority 78',
    )
    await typeIn('IPTABLES -t raw -D PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP')
    await typeIn('IPTABLES -D DOCKER 1')
    await pause(1_500)
    expect(told).toEqual([])
  })

  /** A person of this host types a command. */
  async function typeIn(line: string): Promise<void> {
    const [file = '', ...args] = line
      .replace('IPTABLES', `iptables-${variant}`)
      .replace('IP6TABLES', `ip6tables-${variant}`)
      .split(' ')
    await host.netns.run({ file, args })
  }
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
