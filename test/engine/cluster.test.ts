/** Three hosts on one link with an etcd of three members, certificates and users: what people of many hosts expect. */
import { cpSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { startMembers, startMembersOn, wrongPairs } from '../support/cluster-members.ts'
import { startFlows } from '../support/flows.ts'
import { listenOnHost } from '../support/host-listener.ts'
import { expectedReachability, type Member, reachability } from '../support/reach.ts'
import {
  type RomanaCluster,
  romanaOn,
  startRomanaCluster,
  statusOf,
  typeRomana,
} from '../support/romana-cluster.ts'
import { failureOf, PLUGIN, PLUGIN_DIRECTORY, startIdle } from '../support/romana-host.ts'

const WISH = { tenants: ['blue', 'green', 'red'], segments: ['web', 'db'], count: 2 }
const TABLE = '8200'

describe('three hosts on one link', () => {
  let cluster: RomanaCluster
  let hosts: readonly LabHost[]
  let members: Member[]

  beforeAll(async () => {
    cluster = await startRomanaCluster({
      lab: 'cluster',
      underlay: 'layer2',
      hosts: [1, 2, 3].map(() => ({ release: 'sid' })),
    })
    hosts = [...cluster.hosts]
    members = await startMembers(hosts, WISH)
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('each container reaches exactly those of its segment, on every host', async () => {
    expect(new Set(members.map(({ address }) => address)).size).toBe(36)
    expect(await wrongPairs(members)).toEqual([])
  })

  it('a container on two networks reaches the peers of each on every host, and is reached by them', async () => {
    const [moving] = members
    if (moving === undefined) throw new Error('No members')
    await moving.host.docker(['network', 'connect', 'green-db', moving.name])
    const format = '{{(index .NetworkSettings.Networks "green-db").IPAddress}}'
    const { stdout } = await moving.host.docker(['inspect', '--format', format, moving.name])
    const onBoth = (network: string) => members.filter(({ name }) => name.includes(`-${network}-`))
    const there = [{ ...moving, address: stdout.trim() }, ...onBoth('green-db')]
    expect(await reachability(there)).toBe(expectedReachability(there, () => true))
    const here = onBoth('blue-web')
    expect(await reachability(here)).toBe(expectedReachability(here, () => true))
    await moving.host.docker(['network', 'disconnect', 'green-db', moving.name])
  })

  it('a host carries one route for each other host, and nothing in the main table', async () => {
    const [first] = hosts
    if (first === undefined) throw new Error('No host')
    expect(await viaRoutes(first)).toEqual([
      '10.2.0.0/16 via 198.18.1.12 dev eth0 proto 82',
      '10.3.0.0/16 via 198.18.1.13 dev eth0 proto 82',
    ])
    const main = (await first.runInside('ip', ['route', 'show', 'table', 'main'])).stdout
    expect(main).not.toMatch(/^10\./m)
    const before = await firewallOf(first)
    const many = Array.from({ length: 100 }, (_, index) => `many-${index}`)
    for (let from = 0; from < many.length; from += 10)
      await Promise.all(many.slice(from, from + 10).map((name) => startIdle(first, name, 'blue-web')))
    expect(await viaRoutes(first)).toHaveLength(2)
    expect((await first.runInside('ip', ['route', 'show', 'table', 'main'])).stdout).toBe(main)
    expect(await firewallOf(first)).toBe(before)
    await first.docker(['rm', '--force', ...many])
  })

  it('a container reaches no other host: no service, no gateway, no member of the store', async () => {
    const [from] = members
    const [, second] = hosts
    if (from === undefined || second === undefined) throw new Error('No members')
    const reaches = async (address: string, port: string) =>
      (
        await from.host.docker(['exec', from.name, 'netcat', '-z', '-w', '1', address, port], {
          reject: false,
        })
      ).exitCode === 0
    for (const host of hosts) expect(await reaches(host.address, '2379')).toBe(false)
    await using listener = await listenOnHost(second)
    const port = String(listener.port)
    for (const address of [second.address, '10.2.17.1', '10.2.33.1'])
      expect(await reaches(address, port)).toBe(false)
    // An outsider on the link reaches the service, and no container.
    const fromRouter = async (address: string, port: string) =>
      (await cluster.lab.router.run('nc', ['-z', '-w', '1', address, port], { reject: false })).exitCode === 0
    expect(await fromRouter(second.address, port)).toBe(true)
    await cluster.lab.router.run('ip', ['route', 'add', '10.1.0.0/16', 'via', '198.18.1.11'])
    expect(await fromRouter(from.address, '7000')).toBe(false)
    await cluster.lab.router.run('ip', ['route', 'delete', '10.1.0.0/16'])
  })

  it('everybody can look up every container', async () => {
    const listed = async (host: LabHost) =>
      (await typeRomana(host, 'endpoint list --all'))
        .split('\n')
        .slice(1)
        .filter((line) => line !== '').length
    for (const host of hosts) await expect.poll(() => listed(host), { timeout: 10_000 }).toBe(36)
    expect(await typeRomana(first(hosts), 'host list')).toMatch(
      /1 +h1 +198\.18\.1\.11 +alive[\s\S]*2 +h2 +198\.18\.1\.12 +alive[\s\S]*3 +h3 +198\.18\.1\.13 +alive/,
    )
  })

  it('containers start and stop while the whole store is away', async () => {
    for (const host of hosts) await cluster.etcd.kill(host)
    for (const host of hosts) {
      await startIdle(host, `dark-${host.name}`, 'blue-web')
      await host.docker(['rm', '--force', `${host.name}-green-db-2`])
    }
    const startedMs = performance.now()
    const refused = await failureOf(first(hosts), [
      ...['network', 'create', '-d', 'romana', '--ipam-driver', 'romana'],
      ...['--ipam-opt', 'tenant=violet', 'violet'],
    ])
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(refused).toMatch(/no member of etcd has answered in time .*\(E_STORE_AWAY\)/)
    members = members.filter(({ name }) => !name.endsWith('-green-db-2'))
    expect(await wrongPairs(members)).toEqual([])
    for (const host of hosts) await cluster.etcd.revive(host, false)
    await cluster.etcd.waitUntilHealthy()
    const names = async () => {
      const [, ...lines] = (await typeRomana(first(hosts), 'endpoint list --all')).trim().split('\n')
      return lines.length
    }
    await expect.poll(names, { timeout: 5_000 }).toBe(36 - 3 + 3)
  })

  it('a plugin starts while the store is away, and containers with it', async () => {
    for (const host of hosts) await cluster.etcd.kill(host)
    const [host] = hosts
    if (host === undefined) throw new Error('No host')
    await host.docker(['plugin', 'disable', '--force', PLUGIN])
    await host.docker(['plugin', 'enable', PLUGIN])
    await startIdle(host, 'dawn', 'blue-web')
    expect((await statusOf(host)).cluster?.isReached).toBe(false)
    expect(await viaRoutes(host)).toHaveLength(2)
    for (const each of hosts) await cluster.etcd.revive(each, false)
    await cluster.etcd.waitUntilHealthy()
    await expect.poll(async () => (await statusOf(host)).cluster?.isReached, { timeout: 10_000 }).toBe(true)
    await host.docker(['rm', '--force', 'dawn'])
  })

  describe('a fourth host', () => {
    let fourth: LabHost

    it('joins while traffic flows, and is reached from everywhere', async () => {
      fourth = await cluster.lab.addHost({ name: 'h4', release: 'sid' })
      const pings = members.slice(0, 8).map((from) => ({ from, to: neighbourOf(from) }))
      await using flows = await startFlows({ pings })
      const rules = await firewallOf(first(hosts))
      await cluster.join(fourth)
      const joinedMs = performance.now()
      const sees = async (host: LabHost) =>
        (await viaRoutes(host)).some((route) => route.startsWith('10.4.0.0/16 '))
      for (const host of hosts)
        await expect.poll(() => sees(host), { timeout: 2_000, interval: 50 }).toBe(true)
      expect(performance.now() - joinedMs).toBeLessThan(2_000)
      members.push(...(await startMembersOn(fourth, WISH)))
      expect(await wrongPairs(members)).toEqual([])
      expect(await flows.losses()).toEqual([])
      const added = (await firewallOf(first(hosts))).split('\n').filter((line) => !rules.includes(line))
      expect(added.toSorted()).toEqual([
        expect.stringMatching(/^-A ROMANA-ERRORS -i eth0 -m mac --mac-source \S+ -j RETURN$/),
        expect.stringMatching(/^-A ROMANA-PREROUTING -s 10\.4\.0\.0\/16 -i eth0 -m mac ! --mac-source /),
      ])
    })

    it('is followed when it gets another address', async () => {
      const lines = ['address delete 198.18.1.14/24 dev eth0', 'address add 198.18.1.44/24 dev eth0']
      await fourth.runInside('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
      await fourth.runInside('ip', ['route', 'replace', 'default', 'via', '198.18.1.1', 'dev', 'eth0'])
      const route = '10.4.0.0/16 via 198.18.1.44 dev eth0 proto 82'
      for (const host of hosts) await expect.poll(() => viaRoutes(host), { timeout: 10_000 }).toContain(route)
      expect(await wrongPairs(members.filter(({ name }) => name.includes('-blue-web-')))).toEqual([])
    })

    it('is not let in again from a copy of its disk', async () => {
      const copy = await cluster.lab.addHost({ name: 'h5', release: 'sid' })
      await cluster.etcd.equip(copy)
      for (const path of ['/var/lib/romana', '/etc/machine-id'])
        cpSync(fourth.rootPath(path), copy.rootPath(path), {
          recursive: true,
          filter: (file) => !/-(wal|shm)$/.test(file),
        })
      await copy.installPlugin({
        alias: PLUGIN,
        directory: PLUGIN_DIRECTORY,
        settings: cluster.etcd.settings,
      })
      const refused = await failureOf(copy, [
        ...['network', 'create', '-d', 'romana', '--ipam-driver', 'romana', 'mine'],
      ])
      expect(refused).toMatch(/this machine has the ids of host 4 \("h4", 198\.18\.1\.44\).*\(E_HOST_CLONE\)/)
      expect((await romanaOn(first(hosts), 'host list')).stdout).not.toContain('h5')
      await copy.docker(['plugin', 'rm', '--force', PLUGIN])
      await copy.stopEngine()
    })

    it('is removed when it is gone, and the others stay', async () => {
      expect((await romanaOn(first(hosts), 'host remove 4')).stderr).toContain('(E_HOST_IN_USE)')
      await fourth.docker(['plugin', 'disable', '--force', PLUGIN])
      await expect
        .poll(async () => (await romanaOn(first(hosts), 'host remove 4')).exitCode, {
          timeout: 20_000,
          interval: 500,
        })
        .toBe(0)
      for (const host of hosts) await expect.poll(() => viaRoutes(host), { timeout: 2_000 }).toHaveLength(2)
      members = members.filter(({ host }) => host.name !== 'h4')
      expect(await wrongPairs(members)).toEqual([])
    })
  })

  /** The next container of the same segment on another host. */
  function neighbourOf({ name, host }: Member): Member {
    const segment = name.split('-').slice(1, 3).join('-')
    const found = members.find((other) => other.host !== host && other.name.includes(`-${segment}-`))
    if (found === undefined) throw new Error(`No neighbour for ${name}`)
    return found
  }
})

function first(hosts: readonly LabHost[]): LabHost {
  const [host] = hosts
  if (host === undefined) throw new Error('No host')
  return host
}

/** The routes to other hosts, sorted. */
async function viaRoutes(host: LabHost): Promise<string[]> {
  const { stdout } = await host.runInside('ip', ['route', 'show', 'table', TABLE])
  return stdout
    .split('\n')
    .filter((line) => line.includes(' via '))
    .map((line) => line.trim())
    .sort()
}

async function firewallOf(host: LabHost): Promise<string> {
  const { stdout } = await host.runInside('iptables-save', [])
  return stdout
    .split('\n')
    .filter((line) => /^(-A|:ROMANA)/.test(line))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''))
    .join('\n')
}
