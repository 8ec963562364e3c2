/** Who reaches whom on one host, on a real engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { listenOnHost } from '../support/host-listener.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import {
  createNetwork,
  createSegmentNetwork,
  PLUGIN,
  type RomanaHost,
  startRomanaHost,
} from '../support/romana-host.ts'

const TENANTS = ['blue', 'green']
const SEGMENTS = ['web', 'db']

describe('two tenants with two segments of three containers each', () => {
  let romana: RomanaHost
  let host: LabHost
  const members: Member[] = []

  beforeAll(async () => {
    romana = await startRomanaHost({ lab: 'isolation', release: 'sid' })
    host = romana.host
    for (const tenant of TENANTS) {
      for (const segment of SEGMENTS) {
        const network = await createSegmentNetwork(host, tenant, segment)
        for (const number of [1, 2, 3]) members.push(await startMember(host, `${network}-${number}`, network))
      }
    }
  })
  afterAll(() => romana?.lab.stop())

  /** "blue-web-1" and "blue-web-2" are in one segment. */
  const inOneSegment = (a: string, b: string) => a.slice(0, -2) === b.slice(0, -2)

  it('the engine is Docker 28 or newer', () => {
    expect(Number.parseInt(host.engineVersion, 10)).toBeGreaterThanOrEqual(28)
  })

  it('every container reaches exactly the containers of its segment, by ICMP, TCP and UDP', async () => {
    expect(await reachability(members)).toBe(expectedReachability(members, inOneSegment))
  })

  it('the probe sees it when the rule of the segments is taken away', async () => {
    await whileNobodyRepairs(async () => {
      await host.runInside('iptables', ['-D', 'ROMANA-FORWARD', '1'])
      expect(await reachability(members)).toBe(expectedReachability(members, () => false))
    })
  })

  it('the probe sees it when a rule that lets all pass is added', async () => {
    await whileNobodyRepairs(async () => {
      await host.runInside('iptables', ['-I', 'ROMANA-FORWARD', '1', '-s', '10.0.0.0/8', '-j', 'ACCEPT'])
      expect(await reachability(members)).toBe(expectedReachability(members, () => true))
    })
    expect(await reachability(members)).toBe(expectedReachability(members, inOneSegment))
  })

  it('a container that takes the address of a neighbour or of another segment gets no packet through', async () => {
    const [neighbour, stranger, peer] = [
      memberNamed('blue-web-2'),
      memberNamed('green-db-1'),
      memberNamed('blue-web-3'),
    ]
    const forger = await startMember(host, 'forger', 'blue-web', '--cap-add', 'NET_ADMIN')
    const targets = [peer, memberNamed('green-db-2')]
    await sendDatagrams(forger, forger.address, 'honest', targets)
    await sendDatagrams(forger, neighbour.address, 'as-neighbour', targets)
    await sendDatagrams(forger, stranger.address, 'as-stranger', targets)
    expect(await received(peer)).toEqual(['honest'])
    expect(await received(memberNamed('green-db-2'))).toEqual([])
    await host.docker(['rm', '-f', 'forger'])
  })

  it('a container reaches no service of the host, and the host answers its ping', async () => {
    const client = memberNamed('blue-web-1')
    await using listener = await listenOnHost(host)
    const gateway = '10.1.17.1'
    const attempt = (address: string) =>
      host.docker(['exec', client.name, 'netcat', '-z', '-w', '1', address, String(listener.port)], {
        reject: false,
      })
    expect((await attempt(gateway)).exitCode).toBe(1)
    expect((await attempt(host.address)).exitCode).toBe(1)
    expect((await host.run('nc', ['-z', '-w', '1', gateway, String(listener.port)])).exitCode).toBe(0)
    await host.docker(['exec', client.name, 'ping', '-c', '1', '-W', '1', gateway])
  })

  it('a container reaches outside with the address of its host', async () => {
    await host.docker(['exec', 'blue-web-1', 'ping', '-c', '1', '-W', '2', romana.lab.router.outside.address])
  })

  it('plan addresses that nobody has never leave by the default route', async () => {
    const { router } = romana.lab
    const seen = async () => {
      const { stdout } = await router.run('iptables', ['-t', 'raw', '-L', 'PREROUTING', '-v', '-x', '-n'])
      return stdout
        .split('\n')
        .slice(2)
        .map((line) => Number(line.trim().split(/\s+/)[0]))
    }
    await router.run('iptables', ['-t', 'raw', '-A', 'PREROUTING', '-s', '10.0.0.0/8'])
    await router.run('iptables', ['-t', 'raw', '-A', 'PREROUTING', '-d', '10.0.0.0/8'])
    for (const address of ['10.9.17.2', '10.1.17.200']) {
      await host.docker(['exec', 'blue-web-1', 'ping', '-c', '1', '-W', '1', address], { reject: false })
      await host.run('ping', ['-c', '1', '-W', '1', address], { reject: false })
    }
    expect(await seen()).toEqual([0, 0])
    // The counters do count: without Romana's rule the host sends plan addresses to its default route.
    await whileNobodyRepairs(async () => {
      await host.run('ip', ['rule', 'delete', 'priority', '8200'])
      await host.run('ping', ['-c', '1', '-W', '1', '10.9.17.2'], { reject: false })
      expect(await seen()).not.toEqual([0, 0])
    })
  })

  function memberNamed(name: string): Member {
    const member = members.find((candidate) => candidate.name === name)
    if (member === undefined) throw new Error(`No member ${name}`)
    return member
  }

  /** The plugin puts the host right when it starts again, before it makes a network. */
  async function whileNobodyRepairs(task: () => Promise<void>): Promise<void> {
    await host.docker(['plugin', 'disable', '--force', PLUGIN])
    await task()
    await host.docker(['plugin', 'enable', PLUGIN])
    await createNetwork(host, 'passing')
    await host.docker(['network', 'rm', 'passing'])
  }

  /** Takes an address as a container with NET_ADMIN can, and sends from it. */
  async function sendDatagrams(
    from: Member,
    source: string,
    text: string,
    targets: readonly Member[],
  ): Promise<void> {
    const script = [
      source === from.address ? 'true' : `ip addr add ${source}/32 dev eth0`,
      ...targets.map(
        ({ address }) => `echo forged ${text} | timeout 2 netcat -u -s ${source} -w 1 ${address} 7001`,
      ),
    ]
    await host.docker(['exec', from.name, 'sh', '-c', `${script.join('; ')}; true`])
  }

  async function received({ name }: Member): Promise<string[]> {
    const { stdout } = await host.docker(['exec', name, 'cat', '/tmp/udp'])
    return stdout
      .split('\n')
      .flatMap((line) => (line.startsWith('forged ') ? [line.slice('forged '.length)] : []))
  }
})
