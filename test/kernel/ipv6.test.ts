import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeNetnsSet } from '../support/netns.ts'
import type { Member } from '../support/netns-member.ts'
import { probeAll, reachability } from '../support/netns-reachability.ts'
import { advertiseRouter } from '../support/router-advertisement.ts'
import {
  CONTAINER_NAMES,
  HOST_ADDRESS,
  IPV4_STATE,
  type Ipv6World,
  makeIpv6World,
  wantedBy,
} from './ipv6-world.ts'
import { VARIANTS } from './kernel-host.ts'
import { deliveries } from './small-world.ts'

const EACH = 'icmp tcp udp'
const HOST6 = 'fd3a:1c55:9e02:1'

describe.each(VARIANTS)('IPv6 through iptables-%s', (variant) => {
  const namespaces = makeNetnsSet()
  let world: Ipv6World
  beforeAll(async () => {
    world = await makeIpv6World(namespaces, variant)
  })
  afterAll(() => namespaces.removeAll())

  const member = (name: string) => world.member(name)
  const members = (...names: string[]): Member[] => names.map(member)

  /** That of the rest of this file comes last. */
  const MATCHES = ['masks', 'bpf'] as const

  test.each(MATCHES)(
    'by %s containers reach their segment and the echo of the host, and nobody else reaches them',
    async (match) => {
      await world.kernel.bringTo(wantedBy(match))
      expect(await world.kernel.bringTo(wantedBy(match))).toBe('')
      const table = await reachability(
        members(...CONTAINER_NAMES, 'outside'),
        members(...CONTAINER_NAMES, 'host'),
      )
      expect(table.split('\n').sort().join('\n')).toBe(
        [
          'blue -> host: icmp',
          'db -> host: icmp',
          `outside -> host: ${EACH}`,
          `vault1 -> vault2: ${EACH}`,
          `vault2 -> vault1: ${EACH}`,
          'web1 -> host: icmp',
          `web1 -> web2: ${EACH}`,
          'web2 -> host: icmp',
          `web2 -> web1: ${EACH}`,
        ].join('\n'),
      )
    },
  )

  test('the other family of a container with both works beside it', async () => {
    expect(await probeAll(member('web1'), { address: '10.1.17.1' })).toEqual(['echo', 'nothing', 'nothing'])
    const host = { ...member('host'), address: '10.1.17.2' }
    expect(await probeAll(member('host'), host)).toEqual(['echo', 'saw 10.1.17.1', 'saw 10.1.17.1'])
  })

  test('containers reach the outside as the host', async () => {
    for (const name of ['web1', 'web2', 'db', 'blue'])
      expect(await probeAll(member(name), member('outside'))).toEqual([
        'echo',
        `saw ${HOST_ADDRESS}`,
        `saw ${HOST_ADDRESS}`,
      ])
  })

  test('an internal network has no way out, even with a route', async () => {
    const vault = member('vault1')
    await vault.netns.ip(`route add default via ${HOST6}:1:3:0:1`)
    const others = members('outside', 'web1', 'blue')
    for (const other of others) expect(await deliveries(other, () => probeAll(vault, other))).toBe('')
  })

  test.each(MATCHES)('by %s no packet with a forged source is delivered', async (match) => {
    await world.kernel.bringTo(wantedBy(match))
    const forgeries = [
      ['web2', `${HOST6}:1:2:0:77`, 'db'],
      ['blue', `${HOST6}:1:1:0:2`, 'web2'],
      ['blue', 'fd3a:1c55:9e02:2:1:1:0:5', 'web1'],
      ['web2', '2001:db8::77', 'host'],
      ['outside', `${HOST6}:1:1:0:3`, 'web1'],
      ['outside', 'fd3a:1c55:9e02:2:1:1:0:5', 'web1'],
    ] as const
    for (const [from, source, to] of forgeries) {
      const [forger, victim] = [member(from), member(to)]
      await forger.netns.ip(`address add ${source}/128 dev lo nodad`)
      expect(
        `${from} as ${source}: ${await deliveries(victim, () => probeAll(forger, victim, source))}`,
      ).toBe(`${from} as ${source}: `)
      await forger.netns.ip(`address delete ${source}/128 dev lo`)
    }
  })

  test('link-local addresses are no way round the rules', async () => {
    const [web1, old, host] = [member('web1'), member('old'), member('host')]
    for (const from of [web1, old]) {
      await from.netns.ip('address add fe80::2/64 dev eth0 nodad')
      expect(await deliveries(host, () => probeAll(from, { address: 'fe80::1%eth0' }))).toBe('')
    }
    const own = `${HOST6}:1:1:0:2`
    expect(await deliveries(host, () => probeAll(web1, { address: 'fe80::1%eth0' }, own))).toBe(`${own} icmp`)
  })

  test('the gateway stays known though a container asks for it from its link-local address', async () => {
    const { netns, probe } = member('db')
    const gateway = `${HOST6}:1:2:0:1`
    await netns.run({ file: 'ip', args: ['neigh', 'flush', 'all'] })
    expect(await probe('icmp', gateway)).toBe('echo')
    const askAgain = ['neigh', 'change', gateway, 'dev', 'eth0', 'nud', 'probe']
    await netns.run({ file: 'ip', args: askAgain })
    await expect
      .poll(() => netns.run({ file: 'ip', args: ['neigh', 'show', gateway] }), { timeout: 3_000 })
      .toContain('REACHABLE')
  })

  test('a container that takes its gateway address is told that it is taken', async () => {
    const { netns } = member('db')
    const gateway = `${HOST6}:1:2:0:1`
    await netns.ip(`address add ${gateway}/128 dev eth0`)
    await expect
      .poll(() => netns.run({ file: 'ip', args: ['address', 'show', 'to', gateway] }), { timeout: 5_000 })
      .toContain('dadfailed')
    await netns.ip(`address delete ${gateway}/128 dev eth0`)
  })

  test('router advertisements of a container change nothing on the host', async () => {
    const before = await world.kernel.show()
    const { netns } = member('web1')
    const shown = await netns.run({ file: 'ip', args: ['-oneline', 'link', 'show', 'eth0'] })
    await netns.run(advertiseRouter(Number.parseInt(shown, 10)))
    expect(await world.kernel.show()).toBe(before)
  })

  test('everything of it comes back when it is taken away', async () => {
    const { netns } = world.kernel
    const show = async () => (await world.kernel.show()).split('\n').sort().join('\n')
    const before = await show()
    await netns.ip('route flush table 8200', 'link set dev rmne2 down')
    await netns.run({ file: 'ip', args: ['-6', 'route', 'flush', 'table', '8200'] })
    await netns.run({ file: 'ip', args: ['-6', 'rule', 'delete', 'priority', '8200'] })
    await netns.run({ file: `ip6tables-${variant}`, args: ['-w', '-F'] })
    await netns.run({ file: `ip6tables-${variant}`, args: ['-w', '-t', 'raw', '-F'] })
    await world.kernel.bringTo(world.wanted)
    expect(await show()).toBe(before)
    expect(await world.kernel.bringTo(world.wanted)).toBe('')
    expect(await reachability(members('web1'), members('web2'))).toBe(`web1 -> web2: ${EACH}`)
  })

  test('nothing of it is left when the last network with IPv6 has gone, but the rule against it', async () => {
    const names = ['rmne1', 'rmne2', 'rmne3', 'rmni4', 'rmni5', 'rmne6', 'rmne7']
    for (const name of names) await world.kernel.netns.ip(`link delete dev ${name}`)
    await world.kernel.bringTo(IPV4_STATE)
    const shown = (await world.kernel.show()).split('\n').filter((line) => !line.includes('elements'))
    expect(shown.filter((line) => /fd3a:|icmp6/.test(line))).toEqual([])
    expect(shown).toContain('-A ROMANA-PREROUTING -i rmn+ -j DROP')
  })
})
