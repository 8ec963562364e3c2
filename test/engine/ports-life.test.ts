/** Published ports over time: who is refused, what moves, and what outlives the plugin and a flush of all rules. */
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { tryToRun } from '../support/port-table.ts'
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
    for (const segment of ['web', 'db']) await createSegmentNetwork(host, 'blue', segment)
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
      [['-p', '8001-8002:80'], 'Bind for 0.0.0.0:8001-8002 failed: all ports are allocated'],
      [['-p', '192.0.2.77:80:80'], 'Bind for 192.0.2.77:80 failed: cannot assign requested address'],
      [['-p', '[::1]:80:80'], '::1 is an IPv6 address'],
      [['-p', '8004:80', '-p', '8001:80'], 'port is already allocated'],
    ]
    for (const [args, words] of refusals) expect(await tryToRun(host, 'blue-web', ...args)).toContain(words)
  })

  it('what another protocol, or a container that is gone, had is free', async () => {
    for (const form of ['8001:80/udp', '8003:80', '8004:80', '8004:80/sctp', '8000-8001:80'])
      expect(await tryToRun(host, 'blue-web', '-p', form)).toBe('started')
    expect(await publishedPorts()).toEqual(['127.0.0.1:8002', '0.0.0.0:8001', '0.0.0.0:8003'].toSorted())
  })

  it('-P and -p without a host port choose one, which `romana ports` shows', async () => {
    await startIdle(host, 'chosen', 'blue-web', '-P', '--expose', '80', '-p', '53/udp')
    const chosen = (await publishedPorts()).filter((port) => !/:800\d$/.test(port))
    expect(chosen).toHaveLength(2)
    for (const port of chosen) expect(Number(port.split(':')[1])).toBeGreaterThanOrEqual(32_768)
    await host.docker(['rm', '-f', 'chosen'])
  })

  it('a container on an internal network publishes nothing, and starts', async () => {
    await createNetwork(host, 'vault', '--internal')
    await startIdle(host, 'inner', 'vault', '-p', '8005:80')
    expect(await publishedPorts()).not.toContain('0.0.0.0:8005')
    await host.docker(['rm', '-f', 'inner'])
  })

  it('a port follows the container to the network that is its way out', async () => {
    // The engine takes the first by name.
    await startIdle(host, 'moving', 'blue-web', '-p', '8006:80')
    await host.docker(['network', 'connect', 'blue-db', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toBe('router')
    await host.docker(['network', 'disconnect', 'blue-db', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toBe('router')
    await host.docker(['network', 'connect', 'blue-db', 'moving'])
    await host.docker(['network', 'disconnect', 'blue-web', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toBe('router')
    await host.docker(['restart', '-t', '0', 'moving'])
    expect(await seenFromOutside('moving', 8006)).toBe('router')
    await host.docker(['rm', '-f', 'moving'])
  })

  it('a client that never pauses reaches the next container that has its UDP port', async () => {
    const caller = callerIn('outside', romana.lab.router.netns)
    const start = () => startIdle(host, 'names', 'blue-web', '-p', '8007:53/udp')
    const serve = async () => servePorts(await callerInContainer(host, 'names', 'names'), ['udp:53'])
    await start()
    const first = await serve()
    await using client = startUdpClient(caller, { host: host.address, port: 8007 })
    await expect.poll(client.answers).toBeGreaterThan(0)
    await first[Symbol.asyncDispose]()
    await host.docker(['rm', '-f', 'names'])
    await start()
    await using _second = await serve()
    const before = client.answers()
    await expect.poll(client.answers, { timeout: 3_000 }).toBeGreaterThan(before)
    await host.docker(['rm', '-f', 'names'])
  })

  it('64 connections through published ports notice nothing while the plugin is killed and starts again', async () => {
    const server = await callerInContainer(host, 'server', 'server')
    await using _serving = await servePorts(server, ['tcp:80'])
    const flows = await startPortFlows(
      callerIn('outside', romana.lab.router.netns),
      { host: host.address, port: 8001 },
      64,
    )
    const before = await portRules()
    await host.runInside('pkill', ['-KILL', '-f', 'romana/plugin.js'])
    await expect.poll(() => publishedPorts().catch(() => []), { timeout: 20_000 }).toContain('0.0.0.0:8001')
    expect(await tryToRun(host, 'blue-web', '-p', '8001:80')).toContain('port is already allocated')
    expect(await flows.end()).toBe('64 connections, 0 ended, 0 lines lost')
    expect(await portRules()).toBe(before)
    const loopback = 'tcp:127.0.0.1:8002'
    const answers = await callPorts(callerIn('host', host.netns), [loopback])
    expect(answers.get(loopback)).toBe('10.1.17.1')
  })

  it('rules that somebody flushes are back within seconds', async () => {
    const before = await portRules()
    for (const table of ['nat', 'filter']) await host.runInside('iptables', ['-t', table, '-F'])
    await expect.poll(portRules, { timeout: 5_000 }).toBe(before)
  })

  async function seenFromOutside(container: string, port: number): Promise<string> {
    await using _serving = await servePorts(await callerInContainer(host, container, container), ['tcp:80'])
    const target = `tcp:${host.address}:${port}`
    const seen = (await callPorts(callerIn('outside', romana.lab.router.netns), [target])).get(target)
    return seen === host.address.replace(/\d+$/, '1') ? 'router' : String(seen)
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
      ['filter', 'nat'].map((table) => host.runInside('iptables', ['-t', table, '-S'])),
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
