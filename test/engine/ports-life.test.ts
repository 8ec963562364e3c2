/** Published ports over time: who is refused, what moves, and what outlives the plugin and a flush of all rules. */
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { routerBeside, tryToRun } from '../support/port-table.ts'
import {
  callerIn,
  callerInContainer,
  callPorts,
  servePorts,
  startPortFlows,
  startUdpClient,
} from '../support/port-world.ts'
import {
  createNetwork,
  createSegmentNetwork,
  type RomanaHost,
  startIdle,
  startRomanaHost,
} from '../support/romana-host.ts'

describe.each([
  ['portlifes', 'sid'],
  ['portlifeb', 'bookworm'],
] as const)('lab %s: Docker of Debian %s', (lab, release) => {
  let romana: RomanaHost
  let host: LabHost

  beforeAll(async () => {
    romana = await startRomanaHost({ lab, release })
    host = romana.host
    await createSegmentNetwork(host, 'blue', 'web', '--ipv6')
    await createSegmentNetwork(host, 'blue', 'db')
    await startIdle(
      host,
      'server',
      'blue-web',
      '-p',
      '8001:80',
      '-p',
      '127.0.0.1:8002:80',
      '-p',
      '8003-8003:53/udp',
    )
  })
  afterAll(() => romana?.lab.stop())

  it('a container whose port is taken, or cannot be had, does not start', async () => {
    await using _program = await listenOnHost('8010')
    const refusals: [args: readonly string[], words: string][] = [
      [['-p', '8001:80'], 'Bind for 0.0.0.0:8001 failed: port is already allocated'],
      [['-p', '127.0.0.1:8001:80'], 'Bind for 127.0.0.1:8001 failed: port is already allocated'],
      [['-p', '8002:80'], 'Bind for 0.0.0.0:8002 failed: port is already allocated'],
      [['-p', '8003:80/udp'], 'Bind for 0.0.0.0:8003 failed: port is already allocated'],
      [['-p', '8010:80'], 'Bind for 0.0.0.0:8010 failed: address already in use'],
      [
        ['-p', '8001-8002:80'],
        'Bind for 0.0.0.0:8001-8002 and [::]:8001-8002 failed: all ports are allocated',
      ],
      [['-p', '192.0.2.77:80:80'], 'Bind for 192.0.2.77:80 failed: cannot assign requested address'],
      [['-p', '[::1]:8001:80'], 'Bind for [::1]:8001 failed: port is already allocated'],
      [['-p', '[2001:db8::77]:80:80'], 'Bind for [2001:db8::77]:80 failed: cannot assign requested address'],
      [['-p', '8004:80', '-p', '8001:80'], 'port is already allocated'],
    ]
    for (const [args, words] of refusals) expect(await tryToRun(host, 'blue-web', ...args)).toContain(words)
    expect(await tryToRun(host, 'blue-db', '-p', '[::]:80:80')).toContain('the container has none on this')
  })

  it('what another protocol, or a container that is gone, had is free', async () => {
    for (const form of ['8001:80/udp', '8003:80', '8004:80', '8004:80/sctp', '8000-8001:80'])
      expect(await tryToRun(host, 'blue-web', '-p', form)).toBe('started')
    expect(await publishedPorts()).toEqual(
      ['127.0.0.1:8002', ...['0.0.0.0', '[::]'].flatMap((all) => [`${all}:8001`, `${all}:8003`])].toSorted(),
    )
  })

  it('-P and -p without a host port choose one, which `romana ports` shows', async () => {
    await startIdle(host, 'chosen', 'blue-web', '-P', '--expose', '80', '-p', '53/udp')
    const chosen = (await publishedPorts()).filter((port) => !/:800\d$/.test(port))
    const numbersOn = (address: string) =>
      chosen.flatMap((port) => (port.startsWith(address) ? [Number(port.split(':').at(-1))] : []))
    expect(numbersOn('0.0.0.0')).toHaveLength(2)
    expect(numbersOn('[::]')).toEqual(numbersOn('0.0.0.0'))
    expect(Math.min(...numbersOn('[::]'))).toBeGreaterThanOrEqual(32_768)
    await host.docker(['rm', '-f', 'chosen'])
  })

  it('a container on an internal network publishes nothing, and starts', async () => {
    await createNetwork(host, 'vault', '--internal')
    await startIdle(host, 'inner', 'vault', '-p', '8005:80')
    expect(await publishedPorts()).not.toContain('0.0.0.0:8005')
    await host.docker(['rm', '-f', 'inner'])
  })

  it('a port follows the container to the network that is its way out', async () => {
    // The engine prefers one with both families, then the first by name.
    await startIdle(host, 'moving', 'blue-web', '-p', '8006:80')
    await host.docker(['network', 'connect', 'blue-db', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toEqual(['router', 'router'])
    await host.docker(['network', 'disconnect', 'blue-db', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toEqual(['router', 'router'])
    await host.docker(['network', 'connect', 'blue-db', 'moving'])
    await host.docker(['network', 'disconnect', 'blue-web', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toEqual(['router', 'nothing'])
    await host.docker(['restart', '-t', '0', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toEqual(['router', 'nothing'])
    await host.docker(['rm', '-f', 'moving'])
  })

  it('a client that never pauses reaches the next container that has its UDP port', async () => {
    const caller = callerIn('outside', romana.lab.router.netns)
    const start = () => startIdle(host, 'names', 'blue-web', '-p', '8007:53/udp')
    const serve = async () => servePorts(await callerInContainer(host, 'names', 'names'), ['udp:53'])
    await start()
    const first = await serve()
    await using ipv4 = startUdpClient(caller, { host: host.address, port: 8007 })
    await using ipv6 = startUdpClient(caller, { host: host.address6, port: 8007 })
    const fewest = () => Math.min(ipv4.answers(), ipv6.answers())
    await expect.poll(fewest).toBeGreaterThan(0)
    await first[Symbol.asyncDispose]()
    await host.docker(['rm', '-f', 'names'])
    await start()
    await using _second = await serve()
    const before = Math.max(ipv4.answers(), ipv6.answers())
    await expect.poll(fewest, { timeout: 5_000 }).toBeGreaterThan(before)
    await host.docker(['rm', '-f', 'names'])
  })

  it('64 connections through published ports notice nothing while the plugin is killed and starts again', async () => {
    const server = await callerInContainer(host, 'server', 'server')
    await using _serving = await servePorts(server, ['tcp:80'])
    const outside = callerIn('outside', romana.lab.router.netns)
    const flows = await Promise.all(
      [host.address, host.address6].map((address) =>
        startPortFlows(outside, { host: address, port: 8001 }, 32),
      ),
    )
    const before = await portRules()
    await host.runInside('pkill', ['-KILL', '-f', 'romana/plugin.js'])
    await expect.poll(() => publishedPorts().catch(() => []), { timeout: 20_000 }).toContain('0.0.0.0:8001')
    expect(await tryToRun(host, 'blue-web', '-p', '8001:80')).toContain('port is already allocated')
    for (const half of flows) expect(await half.end()).toBe('32 connections, 0 ended, 0 lines lost')
    expect(await portRules()).toBe(before)
    const loopback = 'tcp:127.0.0.1:8002'
    const answers = await callPorts(callerIn('host', host.netns), [loopback])
    expect(answers.get(loopback)).toBe('10.1.17.1')
  })

  it('rules that somebody flushes are back within seconds', async () => {
    const before = await portRules()
    for (const program of ['iptables', 'ip6tables'])
      for (const table of ['nat', 'filter']) await host.runInside(program, ['-t', table, '-F'])
    await expect.poll(portRules, { timeout: 5_000 }).toBe(before)
  })

  /** By IPv4, by IPv6. */
  async function seenFromOutside(container: string, port: number): Promise<string[]> {
    await using _serving = await servePorts(await callerInContainer(host, container, container), ['tcp:80'])
    const targets = [host.address, `[${host.address6}]`].map((address) => `tcp:${address}:${port}`)
    const answers = await callPorts(callerIn('outside', romana.lab.router.netns), targets)
    const routers = [host.address, host.address6].map(routerBeside)
    return targets.map((target) => {
      const seen = String(answers.get(target))
      return routers.includes(seen) ? 'router' : seen
    })
  }

  /** Those that are reserved: "0.0.0.0:8001". */
  async function publishedPorts(): Promise<string[]> {
    const socket = host.rootPath('/run/romana/admin.sock')
    const { stdout } = await execa('node', ['dist/romana.js', 'ports', '--socket', socket])
    const rows = stdout.split('\n').slice(1)
    return rows
      .flatMap((row) => {
        const [, , port = '', , reserved] = row.split(/\s+/)
        return reserved === 'yes' ? [port] : []
      })
      .toSorted()
  }

  /** The chains of published ports, as text. */
  async function portRules(): Promise<string> {
    const tables = await Promise.all(
      ['iptables', 'ip6tables'].flatMap((program) =>
        ['filter', 'nat'].map((table) => host.runInside(program, ['-t', table, '-S'])),
      ),
    )
    return tables
      .flatMap(({ stdout }) => stdout.split('\n'))
      .filter((line) => /ROMANA-(PORTS|HAIRPIN)/.test(line))
      .join('\n')
  }

  async function listenOnHost(port: string): Promise<AsyncDisposable> {
    const inHost = [`--net=/run/netns/${host.netns}`, 'nc', '-l', '-k', port]
    const server = execa('nsenter', inHost, { reject: false })
    const isOpen = async () =>
      (await host.run('nc', ['-z', '-w', '1', '127.0.0.1', port], { reject: false })).exitCode
    await expect.poll(isOpen).toBe(0)
    return {
      async [Symbol.asyncDispose]() {
        server.kill('SIGKILL')
        await server
      },
    }
  }
})
