/** Who reaches whom. */
import { expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { cellAround, gatewayOf } from '../../address/prefixes.ts'
import { PLANS } from '../host/host-fixtures.ts'
import { DNS_PORT, type Member } from '../support/netns-member.ts'
import { probeAll, reachability } from '../support/netns-reachability.ts'
import { CONTAINER_NAMES, deliveries, type SmallWorld, STRAY_PLAN_ADDRESS } from './small-world.ts'

const EACH = 'icmp tcp udp'
/** Their networks lead somewhere; those of the other two are internal. */
const ROUTED_NAMES = ['web1', 'web2', 'db', 'blue']

export function testReachability(world: () => SmallWorld): void {
  const member = (name: string) => world().member(name)
  const members = (...names: string[]) => names.map(member)

  async function iptables(...args: string[]): Promise<void> {
    const { netns, variant } = world().kernel
    await netns.run({ file: `iptables-${variant}`, args: ['--wait', '5', ...args] })
  }

  test('containers reach their segment and the echo of the host, and nobody else reaches them', async () => {
    const bridged = ['docker', 'docker2']
    const senders = members(...CONTAINER_NAMES, ...bridged, 'outside')
    const receivers = members(...CONTAINER_NAMES, ...bridged, 'host')
    const table = await reachability(senders, receivers)
    expect(table.split('\n').sort().join('\n')).toBe(
      [
        'blue -> host: icmp',
        'db -> host: icmp',
        `docker -> host: ${EACH}`,
        `docker2 -> host: ${EACH}`,
        `outside -> host: ${EACH}`,
        `vault1 -> vault2: ${EACH}`,
        `vault2 -> vault1: ${EACH}`,
        'web1 -> host: icmp',
        `web1 -> web2: ${EACH}`,
        'web2 -> host: icmp',
        `web2 -> web1: ${EACH}`,
      ].join('\n'),
    )
  })

  test('at the gateway addresses the host answers echo and questions for names, by its containers alone', async () => {
    const pairs = ['web1', 'db', 'docker', 'outside'].flatMap((name) =>
      ['10.1.17.1', '10.1.18.1'].map((address) => ({ name, address })),
    )
    const answers = pairs.map(async ({ name, address }) => {
      const names = probeNames(member(name), address)
      const [answer, dns] = await Promise.all([probeAll(member(name), { address }), names])
      return `${name} -> ${address}: ${answer.join(' ')}, names: ${dns}`
    })
    const expected = pairs.map(({ name, address }) => {
      const isContainer = CONTAINER_NAMES.includes(name)
      const saw = isContainer ? `saw ${member(name).address}` : 'nothing'
      const echo = isContainer ? 'echo' : 'nothing'
      return `${name} -> ${address}: ${echo} nothing nothing, names: ${saw} ${saw}`
    })
    expect(await Promise.all(answers)).toEqual(expected)
  })

  test('the host reaches every container, from its gateway address', async () => {
    const table = await reachability(members('host'), members(...CONTAINER_NAMES), (_host, { address }) =>
      String(gatewayOf(cellAround(PLANS.ipv4, Ip.parse(address)))),
    )
    expect(table).toBe(CONTAINER_NAMES.map((name) => `host -> ${name}: ${EACH}`).join('\n'))
  })

  test('containers reach the outside as the host', async () => {
    for (const name of [...ROUTED_NAMES, 'docker']) {
      expect(await probeAll(member(name), member('outside'))).toEqual([
        'echo',
        'saw 192.0.2.1',
        'saw 192.0.2.1',
      ])
    }
  })

  test('containers of an internal network reach nothing but their segment, even with a way out', async () => {
    const internal = members('vault1', 'vault2')
    for (const { netns } of internal) await netns.ip('route add default via 10.1.19.1')
    const others = members('web1', 'db', 'blue', 'docker', 'outside')
    for (const other of others) await other.arrivals()
    await Promise.all(internal.flatMap((from) => others.map((to) => probeAll(from, to))))
    for (const other of others) expect(await other.arrivals()).toBe('')
    expect(await reachability(internal, internal)).toBe(
      `vault1 -> vault2: ${EACH}\nvault2 -> vault1: ${EACH}`,
    )
    for (const { netns } of internal) await netns.ip('route delete default via 10.1.19.1')
  })

  test('a plan address that nobody here has is never sent out by the default route', async () => {
    const [web1, host, outside] = [member('web1'), member('host'), member('outside')]
    const stray = { address: STRAY_PLAN_ADDRESS }
    const sendBoth = () => Promise.all([probeAll(web1, stray), probeAll(host, stray)])
    expect(await deliveries(outside, sendBoth)).toBe('')
    await world().kernel.netns.ip('rule delete to 10.0.0.0/8 lookup 8200 priority 8200')
    expect(await deliveries(outside, sendBoth)).toBe('192.0.2.1 icmp\n192.0.2.1 tcp\n192.0.2.1 udp')
    await world().kernel.bringTo(world().wanted)
  })

  test('the probes show it when the isolation rule is gone: nobody is reached', async () => {
    await iptables('-D', 'ROMANA-FORWARD', '1')
    expect(await reachability(members('web1'), members('web2'))).toBe('')
    await world().kernel.bringTo(world().wanted)
    expect(await reachability(members('web1'), members('web2'))).toBe(`web1 -> web2: ${EACH}`)
  })

  test('the probes show it when an accept stands before ours: everybody is reached', async () => {
    const others = members('db', 'blue', 'vault1')
    await iptables('-I', 'ROMANA-FORWARD', '1', '-j', 'ACCEPT')
    // The last one has no way back.
    expect(await reachability(members('web1'), others)).toBe(
      `web1 -> db: ${EACH}\nweb1 -> blue: ${EACH}\nweb1 -> vault1: (icmp) (tcp) (udp)`,
    )
    await world().kernel.bringTo(world().wanted)
    expect(await reachability(members('web1'), others)).toBe('')
  })
}

/** What the host answers by TCP and UDP on the port of name servers. */
async function probeNames(from: Member, address: string): Promise<string> {
  const protocols = ['tcp', 'udp'] as const
  const answers = protocols.map((protocol) => from.probe(protocol, address, { port: DNS_PORT }))
  return (await Promise.all(answers)).join(' ')
}
