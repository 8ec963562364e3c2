/** A container on several Romana networks: the peers of each reach it at its address there, however it came to be on them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { startFlows } from '../support/flows.ts'
import { type Member, startMember } from '../support/reach.ts'
import {
  createNetwork,
  createSegmentNetwork,
  failureOf,
  IMAGE,
  type RomanaHost,
  startRomanaHost,
} from '../support/romana-host.ts'

const SEGMENTS = ['app', 'db', 'web']
const ORDERS = permutations(SEGMENTS)

describe.each([
  { release: 'sid', iptables: 'nft' },
  { release: 'bookworm', iptables: 'legacy' },
] as const)('on the Docker of Debian $release, iptables $iptables', ({ release, iptables }) => {
  let romana: RomanaHost
  let host: LabHost
  const peers = new Map<string, Member>()

  beforeAll(async () => {
    romana = await startRomanaHost({ lab: `several${release.slice(0, 2)}`, release, iptables })
    host = romana.host
    for (const segment of SEGMENTS) {
      const network = await createSegmentNetwork(host, 'blue', segment)
      peers.set(segment, await startMember(host, `peer-${segment}`, network))
    }
  })
  afterEach(() => host.docker(['rm', '-f', 'multi']))
  afterAll(() => romana?.lab.stop())

  it.each(ORDERS)('connected to %s, %s and %s in this order, and disconnected in it', async (...order) => {
    const [first = '', ...others] = order
    await startMember(host, 'multi', `blue-${first}`)
    for (const segment of others) await host.docker(['network', 'connect', `blue-${segment}`, 'multi'])
    expect(await bothWays(order)).toEqual(order)
    for (const segment of others) {
      await host.docker(['network', 'disconnect', `blue-${segment}`, 'multi'])
      const left = order.slice(order.indexOf(segment) + 1)
      expect(await bothWays([first, ...left])).toEqual([first, ...left])
    }
    for (const segment of others) await host.docker(['network', 'connect', `blue-${segment}`, 'multi'])
    await host.docker(['network', 'disconnect', `blue-${first}`, 'multi'])
    expect(await bothWays(others)).toEqual(others)
    await host.docker(['network', 'connect', `blue-${first}`, 'multi'])
    expect(await bothWays(order)).toEqual(order)
    await host.docker(['restart', '-t', '0', 'multi'])
    expect(await bothWays(order)).toEqual(order)
  })

  it('open connections on one network live through connect and disconnect of others', async () => {
    const multi = await startMember(host, 'multi', 'blue-db')
    const peer = peers.get('db') ?? multi
    await using flows = await startFlows({
      connections: [
        { from: multi, to: peer },
        { from: peer, to: multi },
      ],
      pings: [{ from: peer, to: multi }],
    })
    for (let round = 0; round < 10; round += 1) {
      // The default route moves to the first by name, and back.
      for (const segment of ['web', 'app'])
        await host.docker(['network', 'connect', `blue-${segment}`, 'multi'])
      for (const segment of ['app', 'web'])
        await host.docker(['network', 'disconnect', `blue-${segment}`, 'multi'])
    }
    expect(await flows.losses(20)).toEqual([])
  })

  it('an internal and an outward network: the way out comes and goes with the outward one', async () => {
    await createNetwork(
      host,
      'inner',
      '--internal',
      '--ipam-opt',
      'tenant=blue',
      '--ipam-opt',
      'segment=inner',
    )
    peers.set('inner', await startMember(host, 'peer-inner', 'inner'))
    await startMember(host, 'multi', 'inner')
    const pingOutside = ['exec', 'multi', 'ping', '-c', '1', '-W', '1', romana.lab.router.outside.address]
    await failureOf(host, pingOutside)
    expect(await bothWays(['inner'])).toEqual(['inner'])
    await host.docker(['network', 'connect', 'blue-web', 'multi'])
    await host.docker(pingOutside)
    expect(await bothWays(['inner', 'web'])).toEqual(['inner', 'web'])
    await host.docker(['network', 'disconnect', 'blue-web', 'multi'])
    await failureOf(host, pingOutside)
    expect(await bothWays(['inner'])).toEqual(['inner'])
    await host.docker(['rm', '-f', 'multi'])
    await startMember(host, 'multi', 'blue-web')
    await host.docker(['network', 'connect', 'inner', 'multi'])
    await host.docker(pingOutside)
    expect(await bothWays(['inner', 'web'])).toEqual(['inner', 'web'])
    await host.docker(['network', 'disconnect', 'blue-web', 'multi'])
    await failureOf(host, pingOutside)
    expect(await bothWays(['inner'])).toEqual(['inner'])
  })

  it('a second network of the same segment is refused, and the container goes on as it was', async () => {
    await createNetwork(host, 'again', '--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=app')
    await startMember(host, 'multi', 'blue-app')
    expect(await failureOf(host, ['network', 'connect', 'again', 'multi'])).toContain(
      'Cannot connect the container to another network of segment "app" of tenant "blue": it has an address of this segment already',
    )
    expect(await bothWays(['app'])).toEqual(['app'])
  })

  it('a forged source is dropped, also when it is an address that the container has on another network', async () => {
    await startMember(host, 'multi', 'blue-app', '--cap-add', 'NET_ADMIN')
    await host.docker(['network', 'connect', 'blue-db', 'multi'])
    const own = await addresses('multi')
    const target = peers.get('app')?.address ?? ''
    const send = (source: string, text: string) =>
      `echo forged ${text} | timeout 2 netcat -u -s ${source} -w 1 ${target} 7001`
    const script = [send(addressIn(own, 'app'), 'honest'), send(addressIn(own, 'db'), 'other'), 'true']
    await host.docker(['exec', 'multi', 'sh', '-c', script.join('; ')])
    const { stdout } = await host.docker(['exec', 'peer-app', 'cat', '/tmp/udp'])
    expect(stdout.split('\n').filter((line) => line.startsWith('forged'))).toEqual(['forged honest'])
  })

  /** The segments whose peer reaches the container, and is reached from it, by TCP at the address of the segment. */
  async function bothWays(segments: readonly string[]): Promise<string[]> {
    const own = await addresses('multi')
    const reached = await Promise.all(
      segments.map(async (segment) => {
        const inward = await answer(`peer-${segment}`, addressIn(own, segment))
        const outward = await answer('multi', peers.get(segment)?.address ?? '')
        const isRight =
          inward.startsWith('multi saw ') &&
          outward === `peer-${segment} saw [::ffff:${addressIn(own, segment)}]`
        return isRight ? [segment] : []
      }),
    )
    return reached.flat()
  }

  async function answer(from: string, address: string): Promise<string> {
    const get = ['exec', from, 'timeout', '2', 'wget', '-q', '-O', '-', `http://${address}:7000/cgi-bin/who`]
    return (await host.docker(get, { reject: false })).stdout.trim()
  }

  /** "blue-web" -> address. */
  async function addresses(container: string): Promise<ReadonlyMap<string, string>> {
    const format =
      '{{range $name, $network := .NetworkSettings.Networks}}{{$name}} {{$network.IPAddress}}\n{{end}}'
    const { stdout } = await host.docker(['inspect', '--format', format, container])
    return new Map(
      stdout.split('\n').flatMap((line) => {
        const [name, address] = line.split(' ')
        return name && address ? [[name, address] as const] : []
      }),
    )
  }

  function addressIn(own: ReadonlyMap<string, string>, segment: string): string {
    return own.get(`blue-${segment}`) ?? own.get(segment) ?? 'none'
  }
})

it('a container started on two networks at once has both', async () => {
  await using romana = await startRomanaHost({ lab: 'twoatonce', release: 'sid' })
  const { host } = romana
  const web = await createSegmentNetwork(host, 'blue', 'web')
  const db = await createSegmentNetwork(host, 'blue', 'db')
  await host.docker(['create', '--name', 'two', '--network', web, IMAGE, 'sleep', '1000'])
  await host.docker(['network', 'connect', db, 'two'])
  await host.docker(['start', 'two'])
  const { stdout } = await host.docker([
    'exec',
    'two',
    'ip',
    '-o',
    '-4',
    'address',
    'show',
    'scope',
    'global',
  ])
  expect(stdout.match(/inet 10\.1\.\d+\.\d+\/32/g)).toHaveLength(2)
})

function permutations(items: readonly string[]): string[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}
