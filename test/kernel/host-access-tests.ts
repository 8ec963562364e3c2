/** What endpoints reach of a host that a setting has opened. */
import { expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { frame, ipv4, udp } from '../support/frames.ts'
import { DNS_PORT, type Member, PORT } from '../support/netns-member.ts'
import { probeAll, reachability } from '../support/netns-reachability.ts'
import { recordsOf } from '../support/policy-world.ts'
import { linkTo, sendFrames } from '../support/send-frames.ts'
import { deliveries, type SmallWorld, wantedInSmallWorld } from './small-world.ts'

const EACH = 'icmp tcp udp'

/** A port of one address of the loopback leads to a bridge container, as with Docker before 28. */
const TRANSLATED_LOOPBACK = `*filter
-I FORWARD -d 172.17.0.2 -p udp --dport ${PORT} -j ACCEPT
COMMIT
*nat
-A PREROUTING -d 127.0.0.9 -p udp --dport ${PORT} -j DNAT --to-destination 172.17.0.2:${PORT}
COMMIT
`

export function testHostAccess(world: () => SmallWorld): void {
  const member = (name: string) => world().member(name)
  const toHost = () => reachability(['web1', 'blue', 'vault1'].map(member), [member('host')])

  test('an open host serves its containers, but not those of internal networks', async () => {
    await world().kernel.bringTo(wantedInSmallWorld({ isHostOpen: true }))
    expect(await toHost()).toBe(`web1 -> host: ${EACH}\nblue -> host: ${EACH}`)
    const gateway = await probeAll(member('web1'), { address: '10.1.17.1' })
    expect(gateway).toEqual(['echo', 'saw 10.1.17.2', 'saw 10.1.17.2'])
  })

  test('containers of internal networks may ping it and nothing else, even where a policy opens it to them', async () => {
    const all = ['red', 'blue'].map((tenant) => ({ tenant }))
    const policies = recordsOf([
      { name: 'a', direction: 'egress', appliesTo: all, peers: [{ peer: 'host' }] },
    ])
    await member('vault1').netns.ip('route add default via 10.1.19.1')
    const lines: string[] = []
    for (const isHostOpen of [false, true]) {
      for (const some of [[], policies]) {
        await world().kernel.bringTo(wantedInSmallWorld({ isHostOpen, policies: some }))
        for (const address of ['10.1.19.1', '192.0.2.1'])
          lines.push(await probeServices(member('vault1'), address))
      }
    }
    await member('vault1').netns.ip('route delete default via 10.1.19.1')
    expect([...new Set(lines)].join('\n')).toBe('10.1.19.1: icmp\n192.0.2.1: icmp')
  })

  test('it keeps its loopback to itself, even where the kernel would let packets in and others translate them', async () => {
    const [web1, host, docker] = [member('web1'), member('host'), member('docker')]
    await host.netns.run({ file: 'sysctl', args: ['-qw', 'net.ipv4.conf.rmne1.route_localnet=1'] })
    await world().kernel.restore(TRANSLATED_LOOPBACK)
    const frames = await framesTo(web1, ['127.0.0.53', '127.0.0.9'])
    const sendAll = () => sendFrames(web1.netns, frames)
    const policies = recordsOf([
      { name: 'a', direction: 'egress', appliesTo: [{ tenant: 'red' }], peers: [{ peer: 'host' }] },
    ])
    for (const change of [{}, { policies }, { isHostOpen: true }]) {
      await world().kernel.bringTo(wantedInSmallWorld(change))
      await docker.arrivals()
      expect(await deliveries(host, sendAll)).toBe('')
      expect(await docker.arrivals()).toBe('')
    }
    await host.netns.run({ file: 'iptables-nft', args: ['-t', 'raw', '-F'] })
    await host.netns.run({ file: 'iptables-legacy', args: ['-t', 'raw', '-F'] })
    expect(await deliveries(host, sendAll)).toBe('10.1.17.2 udp')
    expect(await docker.arrivals()).toBe('172.17.0.1 udp')
  })

  test('it does not open the store, at whichever of its addresses', async () => {
    const stores = [{ address: Ip.parse('192.0.2.1'), port: PORT }]
    const cluster = { peers: [], stores, mainRoutes: [] }
    await world().kernel.bringTo(wantedInSmallWorld({ isHostOpen: true, cluster }))
    for (const address of ['192.0.2.1', '10.1.17.1', '172.17.0.1'])
      expect(await probeAll(member('web1'), { address })).toEqual(['echo', 'nothing', 'saw 10.1.17.2'])
  })

  test('it is closed again', async () => {
    await world().kernel.bringTo(world().wanted)
    expect(await toHost()).toBe('web1 -> host: icmp\nblue -> host: icmp')
  })
}

/** "192.0.2.1: icmp udp/53" */
async function probeServices(from: Member, address: string): Promise<string> {
  const services = [PORT, DNS_PORT].flatMap((port) =>
    (['tcp', 'udp'] as const).map(async (protocol) => {
      const answer = await from.probe(protocol, address, { port })
      return answer === 'nothing' ? [] : [`${protocol}/${port}`]
    }),
  )
  const ping = (await from.probe('icmp', address)) === 'echo' ? ['icmp'] : []
  return [`${address}:`, ...ping, ...(await Promise.all(services)).flat()].join(' ')
}

/** What no kernel would send by a link. */
async function framesTo({ netns, address: source }: Member, addresses: readonly string[]): Promise<Buffer[]> {
  const link = await linkTo(netns, '10.1.17.1')
  return addresses.flatMap((destination) =>
    [PORT, DNS_PORT].map((port) => {
      const ends = { source, destination }
      return frame(link, 'ipv4', ipv4(ends, 'udp', udp(ends, [4_000, port], 'probe'), { dscp: 0 }))
    }),
  )
}
