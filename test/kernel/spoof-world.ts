/** Three hosts with a bridge container on the first: who sends lies there, and where those are counted that get through. */
import * as v from 'valibot'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import type { LinkAddresses } from '../support/frames.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import { linkTo, sendFrames } from '../support/send-frames.ts'
import type { Sender } from './spoof-makers.ts'
import { HOST_NUMBERS, makeWideWorld, othersOf, type WideWorld } from './wide-world.ts'

/** Link addresses that a sender uses, and the namespace it is in. */
export interface Liar {
  readonly netns: Netns
  readonly link: LinkAddresses
}

export interface Counts {
  /** At host 1, before any rule. */
  seen(dscp: number): number
  /** At containers and programs, the sender not among them. */
  delivered(dscp: number): number
}

export interface SpoofWorld {
  readonly world: WideWorld
  liar(sender: Sender): Liar
  /** Sends frames. */
  send(sender: Sender, frames: readonly Buffer[]): Promise<void>
  /** What has come since the last time, by mark. */
  takeCounts(): Promise<Counts>
  /** Takes our rules away on every host, and what else drops. */
  unprotect(): Promise<void>
  /** Puts our rules back. */
  protect(): Promise<void>
}

export async function makeSpoofWorld(set: NetnsSet, variant: IptablesVariant): Promise<SpoofWorld> {
  const world = await makeWideWorld(set, variant, 'layer2')
  const host = world.host(1).netns
  const bridge = await connectBridge(set, host)
  const container = world.member('db1').netns
  const outsider = world.member('outsider').netns
  const liars: Readonly<Record<Sender, Liar>> = {
    container: { netns: container, link: await linkTo(container, '10.1.18.1') },
    'bridge container': { netns: bridge, link: await linkTo(bridge, '172.17.0.1') },
    outsider: { netns: outsider, link: await linkTo(outsider, '198.18.1.11') },
  }
  const inContainers = HOST_NUMBERS.flatMap((number) => [`web${number}`, `db${number}`])
    .map((name) => world.member(name).netns)
    .filter((netns) => netns !== container)
  const inHosts = HOST_NUMBERS.map((number) => world.host(number).netns)
  for (const netns of inContainers) await count(netns, 'prerouting priority -450')
  for (const netns of inHosts) await count(netns, 'input priority 300')
  await count(host, 'prerouting priority -450', 'seen')
  return {
    world,
    liar: (sender) => liars[sender],
    send: (sender, frames) => sendFrames(liars[sender].netns, frames),
    async takeCounts() {
      const seen = await takeCounts(host, 'seen')
      const delivered = await Promise.all(
        [...inContainers, ...inHosts].map((receiver) => takeCounts(receiver, 'delivered')),
      )
      const sumOf = (counts: readonly Map<string, number>[]) => (dscp: number) =>
        counts.reduce((sum, each) => sum + (each.get(counterOf(dscp)) ?? 0), 0)
      return { seen: sumOf([seen]), delivered: sumOf(delivered) }
    },
    async unprotect() {
      for (const { run } of inHosts) {
        for (const program of [`iptables-${variant}`, `ip6tables-${variant}`]) {
          await run({ file: program, args: ['--wait', '5', '-P', 'FORWARD', 'ACCEPT'] })
          for (const table of ['raw', 'filter', 'nat'])
            await run({ file: program, args: ['--wait', '5', '-t', table, '-F'] })
        }
      }
    },
    async protect() {
      for (const number of HOST_NUMBERS) await world.know(number, othersOf(number, world.peers))
    },
  }
}

/** A container as Docker's own bridges have them. */
async function connectBridge(set: NetnsSet, host: Netns): Promise<Netns> {
  const netns = await set.make('bridge-container')
  await host.ip(
    `link add name dk0 type veth peer name eth0 netns ${netns.name}`,
    'address add 172.17.0.1/16 dev dk0',
    'link set dev dk0 up',
  )
  await netns.ip(
    'address add 172.17.0.2/16 dev eth0',
    'link set dev eth0 up',
    'route add default via 172.17.0.1',
  )
  return netns
}

/** Kernels set the first two bits both in the errors that they send about a packet: marks have not. */
export const MARKS = Array.from({ length: 47 }, (_, index) => index + 1)

function counterOf(dscp: number): string {
  return `mark${dscp}`
}

/** Counts marked packets, fragments too. */
async function count({ run }: Netns, hook: string, name = 'delivered'): Promise<void> {
  const input = [
    `table inet ${name} {`,
    ...MARKS.map((dscp) => `counter ${counterOf(dscp)} { }`),
    `chain marked { type filter hook ${hook}; `,
    ...MARKS.flatMap((dscp) =>
      ['ip', 'ip6'].map((ip) => `${ip} dscp ${dscp} counter name ${counterOf(dscp)}`),
    ),
    '}',
    '}',
  ]
  await run({ file: 'nft', args: ['-f', '-'], input: `${input.join('\n')}\n` })
}

const Counters = v.object({
  nftables: v.array(v.object({ counter: v.optional(v.object({ name: v.string(), packets: v.number() })) })),
})

async function takeCounts({ run }: Netns, name: string): Promise<Map<string, number>> {
  const text = await run({ file: 'nft', args: ['--json', 'reset', 'counters', 'table', 'inet', name] })
  const counters = v.parse(Counters, JSON.parse(text)).nftables
  return new Map(
    counters.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  )
}
