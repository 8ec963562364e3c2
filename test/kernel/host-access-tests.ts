/** What endpoints reach of a host that a setting has opened. */
import { expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { PORT } from '../support/netns-member.ts'
import { probeAll, reachability } from '../support/netns-reachability.ts'
import { deliveries, type SmallWorld, wantedInSmallWorld } from './small-world.ts'

const EACH = 'icmp tcp udp'

export function testHostAccess(world: () => SmallWorld): void {
  const member = (name: string) => world().member(name)
  const toHost = () => reachability(['web1', 'blue', 'vault1'].map(member), [member('host')])

  test('an open host serves its containers, but not those of internal networks', async () => {
    await world().kernel.bringTo(wantedInSmallWorld({ isHostOpen: true }))
    expect(await toHost()).toBe(`web1 -> host: ${EACH}\nblue -> host: ${EACH}`)
    const gateway = await probeAll(member('web1'), { address: '10.1.17.1' })
    expect(gateway).toEqual(['echo', 'saw 10.1.17.2', 'saw 10.1.17.2'])
  })

  test('it keeps its loopback to itself, even where the kernel would let packets in', async () => {
    const { netns } = world().kernel
    await netns.run({ file: 'sysctl', args: ['-qw', 'net.ipv4.conf.rmne1.route_localnet=1'] })
    const web1 = member('web1')
    await web1.netns.run({ file: 'sysctl', args: ['-qw', 'net.ipv4.conf.eth0.route_localnet=1'] })
    await web1.netns.ip(
      'rule add priority 0 to 127.0.0.53 lookup 99',
      'route add 127.0.0.53/32 via 10.1.17.1 dev eth0 src 10.1.17.2 table 99',
    )
    expect(await deliveries(member('host'), () => probeAll(web1, { address: '127.0.0.53' }))).toBe('')
    await web1.netns.ip('rule delete priority 0 to 127.0.0.53 lookup 99')
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
