/** Several hosts on the real kernel: who reaches whom over them, and what a host carries for the others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { probeAll, reachability } from '../support/netns-reachability.ts'
import { deliveries } from './small-world.ts'
import {
  HOST_NUMBERS,
  address6Of as hostAddress6Of,
  makeWideWorld,
  othersOf,
  type WideWorld,
} from './wide-world.ts'

const CONTAINERS = HOST_NUMBERS.flatMap((number) => [`web${number}`, `db${number}`])
const HOSTS = HOST_NUMBERS.map((number) => `host${number}`)

describe.each([
  { variant: 'nft', underlay: 'layer2' },
  { variant: 'legacy', underlay: 'layer2' },
  { variant: 'nft', underlay: 'layer3' },
] as const)('three hosts on $underlay, iptables $variant', ({ variant, underlay }) => {
  const set = makeNetnsSet()
  let world: WideWorld
  const members = (names: readonly string[]) => names.map((name) => world.member(name))

  beforeAll(async () => {
    world = await makeWideWorld(set, variant, underlay)
  })
  afterAll(() => set.removeAll())

  it('each container reaches exactly those of its segment, whichever host they run on', async () => {
    const table = await reachability(members(CONTAINERS), members(CONTAINERS))
    const expected = CONTAINERS.flatMap((from) =>
      CONTAINERS.filter((to) => to !== from && to.slice(0, -1) === from.slice(0, -1)).map(
        (to) => `${from} -> ${to}: icmp tcp udp`,
      ),
    )
    expect(table.split('\n').sort()).toEqual(expected.sort())
  })

  it('the same holds over IPv6', async () => {
    const six = members(CONTAINERS).map((member) => ({ ...member, address: address6Of(member.name) }))
    const table = await reachability(six, six)
    const isReached = (from: string, to: string) => to !== from && to.slice(0, -1) === from.slice(0, -1)
    const expected = CONTAINERS.flatMap((from) =>
      CONTAINERS.filter((to) => isReached(from, to)).map((to) => `${from} -> ${to}: icmp tcp udp`),
    )
    expect(table.split('\n').filter(Boolean).sort()).toEqual(expected.sort())
  })

  it('no container reaches another host, by its own address or by that of a gateway', async () => {
    const web1 = world.member('web1')
    const ipv6 = [hostAddress6Of(2, underlay), 'fd3a:1c55:9e02:2:1:1:0:1']
    for (const address of ['10.2.17.1', '10.2.18.1', world.member('host2').address, ...ipv6]) {
      expect(await deliveries(world.member('host2'), () => probeAll(web1, { address }))).toBe('')
    }
    // Its own host answers ping.
    expect(await web1.probe('icmp', '10.1.17.1')).toBe('echo')
  })

  it('no host reaches a container of another host', async () => {
    const table = await reachability(members(HOSTS), members(CONTAINERS), (from, to) =>
      sourceOfHost(from.name, to.name),
    )
    expect(table.split('\n').sort()).toEqual(
      HOST_NUMBERS.flatMap((number) => [
        `host${number} -> db${number}: icmp tcp udp`,
        `host${number} -> web${number}: icmp tcp udp`,
      ]).sort(),
    )
  })

  it('a container reaches outside with the address of its host', async () => {
    const outside = world.member('outside')
    expect(await deliveries(outside, () => probeAll(world.member('web1'), outside))).toBe(
      ['icmp', 'tcp', 'udp'].map((protocol) => `${world.member('host1').address} ${protocol}`).join('\n'),
    )
  })

  it('the main table knows nothing of the plan', async () => {
    const { run } = world.host(1).netns
    expect(await run({ file: 'ip', args: ['route', 'show', 'table', 'main'] })).not.toContain('10.')
  })

  it('a second look finds nothing to do', async () => {
    for (const number of HOST_NUMBERS)
      expect(await world.know(number, othersOf(number, world.peers))).toBe('')
  })

  if (underlay === 'layer2') {
    it('an outsider reaches no container, and none with the address of another host', async () => {
      const outsider = world.member('outsider')
      for (const name of ['web1', 'db1', 'web3']) {
        const to = world.member(name)
        expect(await deliveries(to, () => probeAll(outsider, to))).toBe('')
        expect(await deliveries(to, () => probeAll(outsider, to, '10.2.17.2'))).toBe('')
      }
      // Without the line that names the link address of host 2 it does.
      const { run } = world.host(1).netns
      const rules = await run({ file: `iptables-${variant}`, args: ['-t', 'raw', '-S', 'ROMANA-PREROUTING'] })
      const line = rules.split('\n').find((rule) => rule.includes('-s 10.2.0.0/16')) ?? ''
      await run({
        file: `iptables-${variant}`,
        args: ['-t', 'raw', ...line.replace('-A', '-D').split(' ')],
      })
      const web1 = world.member('web1')
      expect(await deliveries(web1, () => probeAll(outsider, web1, '10.2.17.2'))).toBe(
        ['icmp', 'tcp', 'udp'].map((protocol) => `10.2.17.2 ${protocol}`).join('\n'),
      )
      await world.know(1, othersOf(1, world.peers))
    })

    it('a host that gets another address loses no packet', async () => {
      const { netns } = world.host(2)
      await netns.ip('address add 198.18.1.77/24 dev eth0')
      const ping = world.member('web1').netns.run({
        file: 'busybox',
        args: ['ping', '-c', '20', '-i', '0.05', '10.2.17.2'],
      })
      await new Promise((resolve) => setTimeout(resolve, 300))
      const moved = world.peers.map((peer) =>
        peer.number === 2 ? { ...peer, address: Ip.parse('198.18.1.77') } : peer,
      )
      expect(await world.know(1, othersOf(1, moved))).toMatch(
        /^# ipset restore\nadd ROMANA-HOSTS 198.18.1.77\ndel ROMANA-HOSTS 198.18.1.12\n# ip -batch\nroute replace 10.2.0.0\/16 via 198.18.1.77 dev eth0 table 8200 protocol 82\n$/,
      )
      expect(await ping).toContain('20 packets transmitted, 20 packets received')
      await world.know(1, othersOf(1, world.peers))
    })
  }

  if (underlay === 'layer3') {
    it('an address of no host reaches no container, though the router lets it pass', async () => {
      const [outside, web1] = [world.member('outside'), world.member('web1')]
      const all = ['icmp', 'tcp', 'udp']
      // Whose packets those of a host are the router must know: this host cannot.
      for (const { source, passed } of [
        { source: '10.9.17.2', passed: [] },
        { source: '10.2.17.2', passed: all },
      ]) {
        await world.router.ip(`address add ${source}/32 dev lo`)
        const come = await deliveries(web1, () => probeAll(outside, web1, source))
        await world.router.ip(`address delete ${source}/32 dev lo`)
        expect(come).toBe(passed.map((protocol) => `${source} ${protocol}`).join('\n'))
      }
    })
  }

  it('a host without a network hears no container of the others', async () => {
    const [web1, host2] = [world.member('web1'), world.member('host2')]
    const address6 = hostAddress6Of(2, underlay)
    const hears = async () => [
      await deliveries(host2, () => probeAll(web1, host2)),
      await deliveries(host2, () => probeAll(web1, { address: address6 })),
    ]
    await world.removeNetworks(2)
    expect(await hears()).toEqual(['', ''])
    const { run } = world.host(2).netns
    for (const program of [`iptables-${variant}`, `ip6tables-${variant}`])
      await run({ file: program, args: ['-t', 'raw', '-F', 'ROMANA-PREROUTING'] })
    expect(String(await hears())).toMatch(/10.1.17.2 udp.*fd3a:1c55:9e02:1:1:1:0:2 udp/s)
    await world.know(2, othersOf(2, world.peers))
  })

  it('a host that is removed is not routed to, and the others are', async () => {
    await world.know(
      1,
      world.peers.filter(({ number }) => number === 3),
    )
    const [web1, web2, web3] = members(['web1', 'web2', 'web3'])
    if (web1 === undefined || web2 === undefined || web3 === undefined) throw new Error('No members')
    expect(await web1.probe('tcp', web2.address)).toBe('nothing')
    expect(await web1.probe('tcp', web3.address)).toBe(`saw ${web1.address}`)
    await world.know(1, othersOf(1, world.peers))
    expect(await web1.probe('tcp', web2.address)).toBe(`saw ${web1.address}`)
  })
})

function address6Of(name: string): string {
  return `fd3a:1c55:9e02:${name.at(-1)}:1:${name.startsWith('web') ? 1 : 2}:0:2`
}

/** A host talks to its own containers by the gateway's address. */
function sourceOfHost(host: string, to: string): string {
  const number = host.at(-1)
  return to.startsWith('web') ? `10.${number}.17.1` : `10.${number}.18.1`
}
