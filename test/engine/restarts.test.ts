/** The plugin dies, goes, comes back and forgets; the engine restarts. Containers must not notice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import {
  addressOf,
  createNetwork,
  createSegmentNetwork,
  failureOf,
  PLUGIN,
  PLUGIN_DIRECTORY,
  type RomanaHost,
  startIdle,
  startRomanaHost,
} from '../support/romana-host.ts'

describe('containers of two segments, while the plugin and the engine come and go', () => {
  let romana: RomanaHost
  let host: LabHost
  const members: Member[] = []

  beforeAll(async () => {
    romana = await startRomanaHost({
      lab: 'restarts',
      release: 'sid',
      engineArgs: ['--bridge=none', '--live-restore'],
    })
    host = romana.host
    for (const tenant of ['blue', 'green']) {
      const network = await createSegmentNetwork(host, tenant, 'web')
      for (const number of [1, 2]) members.push(await startMember(host, `${network}-${number}`, network))
    }
    await host.docker([
      'exec',
      '-d',
      'blue-web-1',
      'sh',
      '-c',
      `ping -i 0.1 ${members[1]?.address} > /tmp/flow`,
    ])
  })
  afterAll(() => romana?.lab.stop())

  const inOneSegment = (a: string, b: string) =>
    a.slice(0, a.lastIndexOf('-')) === b.slice(0, b.lastIndexOf('-'))

  afterEach(async () => {
    expect(await reachability(members)).toBe(expectedReachability(members, inOneSegment))
    const addresses = await Promise.all(members.map(({ name }) => addressOf(host, name)))
    expect(new Set(addresses).size).toBe(members.length)
    expect(await endpointRoutes()).toEqual(addresses.toSorted())
  })

  it('the plugin is killed', async () => {
    await host.runInside('pkill', ['-KILL', '-f', 'romana/plugin.js'])
    await startAnother('blue-web-killed', 'blue-web')
  })

  it('the plugin is disabled and enabled', async () => {
    await host.docker(['plugin', 'disable', '-f', PLUGIN])
    await host.docker(['plugin', 'enable', PLUGIN])
    await startAnother('blue-web-enabled', 'blue-web')
  })

  it('the plugin is removed and created again', async () => {
    await host.docker(['plugin', 'disable', '-f', PLUGIN])
    await host.docker(['plugin', 'rm', '-f', PLUGIN])
    await host.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY })
    await startAnother('green-web-again', 'green-web')
  })

  it('the journal is deleted', async () => {
    await forget('journal.db')
    await startAnother('blue-web-forgot', 'blue-web')
  })

  it('the journal is deleted again: a container that its link tells gets no second network of its segment', async () => {
    await createNetwork(host, 'second', '--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web')
    await startIdle(host, 'once', 'blue-web')
    await forget('journal.db')
    expect(await failureOf(host, ['network', 'connect', 'second', 'once'])).toContain(
      'Cannot connect the container to another network of segment "web" of tenant "blue": it has an address of this segment already',
    )
    await host.docker(['rm', '-f', 'once'])
    await host.docker(['network', 'rm', 'second'])
  })

  it('all that the plugin keeps is deleted', async () => {
    await forget('')
    await startAnother('blue-web-lost', 'blue-web')
    await startAnother('green-web-lost', 'green-web')
    // A new segment gets numbers that no living container has.
    members.push(await startMember(host, 'red-web-1', await createSegmentNetwork(host, 'red', 'web')))
  })

  it('the engine is restarted', async () => {
    await host.restartEngine()
    await startAnother('blue-web-restarted', 'blue-web')
  })

  it('the engine is killed', async () => {
    await host.restartEngine({ signal: 'SIGKILL' })
    await startAnother('green-web-killed', 'green-web')
  })

  it('not one packet of the first two containers was lost meanwhile', async () => {
    await host.docker(['exec', 'blue-web-1', 'sh', '-c', 'kill -INT $(pidof ping)'])
    const flow = (await host.docker(['exec', 'blue-web-1', 'cat', '/tmp/flow'])).stdout
    const [, sent = '0', received] = /(\d+) packets transmitted, (\d+) packets received/.exec(flow) ?? []
    expect(Number(sent)).toBeGreaterThan(100)
    expect(received).toBe(sent)
  })

  async function startAnother(name: string, network: string): Promise<void> {
    members.push(await startMember(host, name, network))
  }

  /** With the plugin off: it holds the file as long as it runs. */
  async function forget(file: string): Promise<void> {
    await host.docker(['plugin', 'disable', '-f', PLUGIN])
    await host.runInside('sh', ['-c', `rm -rf /var/lib/romana/${file}*`])
    await host.docker(['plugin', 'enable', PLUGIN])
  }

  async function endpointRoutes(): Promise<string[]> {
    const { stdout } = await host.run('ip', ['route', 'show', 'table', '8200'])
    return [...stdout.matchAll(/^(\S+) dev rmn/gm)].map(([, address = '']) => address).toSorted()
  }
})

describe('an engine that stops its containers when it stops', () => {
  it('starts them again, each with an address of its own, and leaves nothing of the old ones', async () => {
    await using romana = await startRomanaHost({ lab: 'restarts2', release: 'sid' })
    const { host } = romana
    const network = await createSegmentNetwork(host, 'blue', 'web')
    const names = ['web-1', 'web-2', 'web-3']
    for (const name of names) await startMember(host, name, network, '--restart', 'always')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await host.restartEngine({ signal })
      await expect.poll(async () => (await runningNames(host)).length, { timeout: 30_000 }).toBe(names.length)
      const members = await Promise.all(
        names.map(async (name) => ({ name, address: await addressOf(host, name), host })),
      )
      expect(await reachability(members)).toBe(expectedReachability(members, () => true))
      const links = (await host.run('ip', ['-o', 'link', 'show', 'type', 'veth'])).stdout
      expect(links.match(/: rm[np]/g)).toHaveLength(names.length)
    }
    await host.docker(['rm', '-f', ...names])
    await host.docker(['network', 'rm', network])
    expect((await host.run('ip', ['rule', 'show'])).stdout).not.toContain('8200')
    expect((await host.runInside('iptables-save', [])).stdout).not.toContain('ROMANA')
  })
})

async function runningNames(host: LabHost): Promise<string[]> {
  const { stdout } = await host.docker(['ps', '--format', '{{.Names}}'])
  return stdout.split('\n').filter((name) => name !== '')
}
