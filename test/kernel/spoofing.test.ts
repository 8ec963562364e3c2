/**
 * Ten thousand packets of every kind of lie, by a container with NET_RAW and by the underlay: none is delivered. The same lies
 * without our rules show that the sender can tell them, or that the kernel itself does not take them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frame } from '../support/frames.ts'
import { arpReply } from '../support/neighbour-frames.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { VARIANTS } from './kernel-host.ts'
import { FLOW_PORTS, type Spoof } from './spoof-makers.ts'
import { MARKS, makeSpoofWorld, type SpoofWorld } from './spoof-world.ts'
import { DB, HOSTS, SPOOFS, WEB, WEB6 } from './spoofs.ts'

const MANY = 10_000
const SOME = 100
const TIMEOUT_MS = 300_000

/** What no kernel takes from a link: sources that are its own, or nobody's (martians, RFC 1812 5.3.7), and loopback. */
const REFUSED_BY_KERNEL = [
  'container as its host, to another host',
  'container as a gateway, to the segment',
  'container as nobody, to the host',
  'container from loopback, to the host',
  'container from loopback, to loopback',
  'container to loopback',
  'container from multicast, to the host',
  'container from broadcast, to the host',
  'outsider from loopback, to a container',
]

describe.each(VARIANTS)('with iptables-%s', (variant) => {
  const set = makeNetnsSet()
  let spoofs: SpoofWorld

  beforeAll(async () => {
    spoofs = await makeSpoofWorld(set, variant)
  })
  afterAll(() => set.removeAll())

  it(
    'none of ten thousand packets of each kind is delivered',
    async () => {
      await startFlows()
      const delivered = await tellAll(MANY, ({ seen, delivered }) => `${delivered} of ${seen}`)
      expect(delivered).toBe(SPOOFS.map((spoof) => `${nameOf(spoof)}: 0 of ${MANY}`).join('\n'))
      expect(await pathMtus()).toBe('')
    },
    TIMEOUT_MS,
  )

  it('an answer to a question that nobody asked is not believed', async () => {
    expect(await lieByArp()).toBe('')
  })

  it(
    'without our rules they arrive',
    async () => {
      await spoofs.unprotect()
      expect(await tellAll(SOME, ({ delivered }) => String(delivered))).toBe(
        SPOOFS.map(nameOf)
          .map((name) => `${name}: ${REFUSED_BY_KERNEL.includes(name) ? 0 : SOME}`)
          .join('\n'),
      )
      expect(await pathMtus()).toBe(
        `web1: ${WEB.two} mtu 600\nweb1: ${WEB6.two} mtu 1280\nhost1: ${HOSTS.two} mtu 600`,
      )
      await spoofs.protect()
    },
    TIMEOUT_MS,
  )

  /** A line for each kind. */
  async function tellAll(count: number, format: Format): Promise<string> {
    const parts: string[] = []
    for (let first = 0; first < SPOOFS.length; first += MARKS.length)
      parts.push(await tell(SPOOFS.slice(first, first + MARKS.length), count, format))
    return parts.join('\n')
  }

  /** Of as many kinds as there are marks. */
  async function tell(kinds: readonly Spoof[], count: number, format: Format): Promise<string> {
    await spoofs.takeCounts()
    for (const [index, { by, make }] of kinds.entries()) {
      const { link } = spoofs.liar(by)
      const frames = Array.from({ length: count }, (_, number) => make(link, number, markOf(index)))
      await spoofs.send(by, frames)
    }
    const { seen, delivered } = await spoofs.takeCounts()
    return kinds
      .map((spoof, index) => {
        const mark = markOf(index)
        return `${nameOf(spoof)}: ${format({ seen: seen(mark), delivered: delivered(mark) })}`
      })
      .join('\n')
  }

  /** A datagram each way: what the errors are about is known to the host. */
  async function startFlows(): Promise<void> {
    for (const [from, source, destination] of [
      ['web2', WEB.two, WEB.one],
      ['web2', WEB6.two, WEB6.one],
      ['host2', HOSTS.two, HOSTS.one],
    ] as const) {
      const script = `echo flow | nc -u -s ${source} -p ${FLOW_PORTS.two} -w 1 ${destination} ${FLOW_PORTS.one}`
      const output = await netnsOf(from).run({ file: 'sh', args: ['-c', script] })
      expect(`${from} ${output}`).toBe(`${from} saw ${source}`)
    }
  }

  /** Ways that have become narrower: "web1: 10.2.17.2 …". */
  async function pathMtus(): Promise<string> {
    const ways = [
      ['web1', WEB.two],
      ['web1', WEB6.two],
      ['host1', HOSTS.two],
      ['host1', WEB.two],
    ] as const
    const lines = await Promise.all(
      ways.map(async ([name, to]) => {
        const route = await netnsOf(name).run({ file: 'ip', args: ['route', 'get', to] })
        return / mtu \d+/.test(route) ? [`${name}: ${to}${/ mtu \d+/.exec(route)?.[0]}`] : []
      }),
    )
    return lines.flat().join('\n')
  }

  /** A container says, again and again, that it is who others are. What the host then believes otherwise. */
  async function lieByArp(): Promise<string> {
    const host = netnsOf('host1')
    const before = await neighbours(host)
    const { link } = spoofs.liar('container')
    const frames = [WEB.one, WEB.two, DB.two, HOSTS.two, '10.1.18.1'].flatMap((ip) =>
      Array.from({ length: MANY / 5 }, () =>
        frame(link, 'arp', arpReply({ mac: link.from, ip }, { mac: link.to, ip: '10.1.18.1' })),
      ),
    )
    await spoofs.send('container', frames)
    const after = await neighbours(host)
    return after.filter((line) => !before.includes(line)).join('\n')
  }

  function netnsOf(name: string): Netns {
    return spoofs.world.member(name).netns
  }
})

type Format = (counts: { readonly seen: number; readonly delivered: number }) => string

function markOf(index: number): number {
  return index + 1
}

function nameOf({ what, by }: Spoof): string {
  return `${by} ${what}`
}

async function neighbours({ run }: Netns): Promise<string[]> {
  return (await run({ file: 'ip', args: ['-4', 'neighbour', 'show'] }))
    .split('\n')
    .map((line) => line.trim().replace(/ [A-Z]+$/, ''))
}
