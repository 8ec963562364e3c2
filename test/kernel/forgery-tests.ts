/** Sources that are not the sender's. */
import { expect, test } from 'vitest'
import type { Member } from '../support/netns-member.ts'
import { probeAll } from '../support/netns-reachability.ts'
import { deliveries, type SmallWorld } from './small-world.ts'

/** By whom, as whom, to whom it could do harm. No forger is a receiver: what it forges would be its own. */
const FORGERIES: readonly (readonly [from: string, source: string, to: string])[] = [
  // A neighbour's.
  ['web2', '10.1.17.2', 'outside'],
  ['web2', '10.1.17.2', 'host'],
  // Of another segment, in use and free, to that segment.
  ['web2', '10.1.19.2', 'vault2'],
  ['web2', '10.1.18.77', 'db'],
  ['blue', '10.1.17.3', 'web1'],
  ['blue', '10.1.17.77', 'web1'],
  // Of another host.
  ['blue', '10.2.17.5', 'web1'],
  // Of nobody here, and of the host.
  ['web2', '198.51.100.9', 'host'],
  ['blue', '192.0.2.1', 'outside'],
  // By those who are no endpoints.
  ['docker', '10.1.17.3', 'web1'],
  ['docker', '10.1.17.77', 'web1'],
  ['docker', '10.2.17.5', 'web1'],
  ['docker', '10.1.17.3', 'host'],
  ['outside', '10.1.17.3', 'web1'],
  ['outside', '10.2.17.5', 'web1'],
  ['outside', '10.2.17.5', 'host'],
]
const HONEST: readonly (readonly [from: string, to: string])[] = [
  ['vault2', 'vault1'],
  ['db', 'host'],
]
const HONEST_DELIVERIES = ['host <- 10.1.18.2: icmp', 'vault1 <- 10.1.19.3: icmp tcp udp']
/** What the firewall alone would let through. */
const DELIVERIES_WITHOUT_CHECK = [
  'db <- 10.1.18.77: icmp tcp udp',
  'host <- 10.1.17.2: icmp',
  'host <- 10.1.18.2: icmp',
  'host <- 198.51.100.9: icmp',
  'outside <- 192.0.2.1: icmp tcp udp',
  'vault1 <- 10.1.19.3: icmp tcp udp',
  'vault2 <- 10.1.19.2: icmp tcp udp',
  'web1 <- 10.1.17.3: icmp tcp udp',
  'web1 <- 10.1.17.77: icmp tcp udp',
  'web1 <- 10.2.17.5: icmp tcp udp',
]

export function testForgeries(world: () => SmallWorld): void {
  async function withoutRaw(program: string): Promise<void> {
    const { netns, variant } = world().kernel
    const args = ['--wait', '5', '-t', 'raw', '-D', 'PREROUTING', '-j', 'ROMANA-PREROUTING']
    await netns.run({ file: `${program}-${variant}`, args })
  }

  test('no packet with a forged source is delivered, and honest ones are', async () => {
    await eachForger(world(), 'add')
    expect(await sendForgeries(world())).toEqual(HONEST_DELIVERIES)
  })

  test('the probes show it when the check of sources is gone', async () => {
    await withoutRaw('iptables')
    expect(await sendForgeries(world())).toEqual(DELIVERIES_WITHOUT_CHECK)
    await world().kernel.bringTo(world().wanted)
    await eachForger(world(), 'delete')
  })

  test('nothing comes to the host by IPv6, even where somebody gave the link an address', async () => {
    const [web1, host] = [world().member('web1'), world().member('host')]
    await host.netns.ip('address add fe80::1/64 dev rmne1 nodad')
    await web1.netns.ip('address add fe80::2/64 dev eth0 nodad')
    const send = () => probeAll(web1, { address: 'fe80::1%eth0' })
    expect(await deliveries(host, send)).toBe('')
    await withoutRaw('ip6tables')
    expect(await deliveries(host, send)).toBe('fe80::2 icmp\nfe80::2 tcp\nfe80::2 udp')
    await world().kernel.bringTo(world().wanted)
  })
}

/** The kernel sends with a source address only where it has it. */
async function eachForger(world: SmallWorld, verb: 'add' | 'delete'): Promise<void> {
  const addresses = new Set(FORGERIES.map(([from, source]) => `${from} ${source}`))
  for (const text of addresses) {
    const [from = '', source] = text.split(' ')
    await world.member(from).netns.ip(`address ${verb} ${source}/32 dev lo`)
  }
}

/** All at once; what came, by receiver. */
async function sendForgeries(world: SmallWorld): Promise<string[]> {
  const names = [...FORGERIES.map(([, , to]) => to), ...HONEST.map(([, to]) => to)]
  const receivers = [...new Set(names)].map((name) => world.member(name))
  for (const receiver of receivers) await receiver.arrivals()
  await Promise.all([
    ...FORGERIES.map(([from, source, to]) => probeAll(world.member(from), world.member(to), source)),
    ...HONEST.map(([from, to]) => probeAll(world.member(from), world.member(to))),
  ])
  return (await Promise.all(receivers.map(namedArrivals))).flat().sort()
}

/** "web1 <- 10.1.17.3: icmp tcp udp" for each source. */
async function namedArrivals(receiver: Member): Promise<string[]> {
  const protocolsOf = new Map<string, string[]>()
  for (const line of (await receiver.arrivals()).split('\n')) {
    const [source = '', protocol] = line.split(' ')
    if (protocol !== undefined) protocolsOf.set(source, [...(protocolsOf.get(source) ?? []), protocol])
  }
  return [...protocolsOf].map(
    ([source, protocols]) => `${receiver.name} <- ${source}: ${protocols.join(' ')}`,
  )
}
