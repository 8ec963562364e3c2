/** What a container makes its host believe of neighbours, by questions: each makes the kernel remember who asked. */
import { afterEach, expect, test } from 'vitest'
import { formatSysctl } from '../../host/host-files.ts'
import { linkSysctls } from '../../host/link-sysctls.ts'
import { frame, ipv6, type LinkAddresses } from '../support/frames.ts'
import { arpRequest, neighbourMessage } from '../support/neighbour-frames.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { linkTo, sendFrames } from '../support/send-frames.ts'

/** Few enough for a kernel that all namespaces of a machine share: it remembers 1024 neighbours (gc_thresh3). */
const MANY = 200
const GATEWAY = '10.1.17.1'
const GATEWAY6 = 'fd3a:1c55:9e02:1:1:1:0:1'

const namespaces = makeNetnsSet()
afterEach(() => namespaces.removeAll())

async function makePair(): Promise<{ readonly host: Netns; readonly container: Netns }> {
  const [host, container] = [await namespaces.make('host'), await namespaces.make('container')]
  await host.run({ file: 'sysctl', args: ['-qw', 'net.ipv4.ip_forward=1'] })
  await host.ip(
    `link add name rmne1 type veth peer name eth0 netns ${container.name}`,
    `address add ${GATEWAY}/32 dev rmne1`,
    `address add ${GATEWAY6}/128 dev rmne1 nodad noprefixroute`,
    'link set dev rmne1 up',
    'route add 10.1.17.2/32 dev rmne1',
    'link add name eth0 type veth peer name eth1',
    'link set dev eth0 up',
    'route add default dev eth0',
  )
  await container.ip('address add 10.1.17.2/32 dev eth0', 'link set eth0 up', `route add ${GATEWAY} dev eth0`)
  return { host, container }
}

/** Asks for the gateway as many. Gives how many the host remembers. */
async function askAsMany(
  { host, container }: Awaited<ReturnType<typeof makePair>>,
  question: (link: LinkAddresses, index: number) => Buffer,
): Promise<number> {
  const link = await linkTo(container, GATEWAY)
  await host.run({ file: 'ip', args: ['neighbour', 'flush', 'dev', 'rmne1'] })
  await sendFrames(
    container,
    Array.from({ length: MANY }, (_, index) => question(link, index)),
  )
  const shown = await host.run({ file: 'ip', args: ['neighbour', 'show', 'dev', 'rmne1'] })
  return shown.split('\n').filter((line) => line.includes('lladdr')).length
}

function overArp(link: LinkAddresses, index: number): Buffer {
  return frame(link, 'arp', arpRequest({ mac: link.from, ip: `10.9.9.${index + 1}` }, GATEWAY))
}

function overIpv6(link: LinkAddresses, index: number): Buffer {
  const addresses = { source: `fe80::${index + 1}`, destination: GATEWAY6 }
  const message = neighbourMessage(addresses, 'solicitation', { mac: link.from, ip: GATEWAY6 })
  return frame(link, 'ipv6', ipv6(addresses, 'icmp6', message, { dscp: 0, hopLimit: 255 }))
}

async function setSysctls({ run }: Netns): Promise<void> {
  const settings = linkSysctls('rmne1').map((sysctl) => formatSysctl(sysctl).replaceAll(' ', ''))
  await run({ file: 'sysctl', args: ['-qw', ...settings] })
}

test('the host remembers each address as which a container asks for its gateway', async () => {
  expect(await askAsMany(await makePair(), overArp)).toBe(MANY)
})

test('it remembers none of them by a link that has our sysctls, and still answers the container', async () => {
  const pair = await makePair()
  await setSysctls(pair.host)
  expect(await askAsMany(pair, overArp)).toBe(0)
  await linkTo(pair.container, GATEWAY)
})

// Why docs/security.md promises nothing of IPv6.
test('over IPv6 it remembers them all the same', async () => {
  const pair = await makePair()
  await setSysctls(pair.host)
  expect(await askAsMany(pair, overIpv6)).toBe(MANY)
})
