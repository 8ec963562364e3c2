/** `docker plugin upgrade`, forth and back, with containers that go on talking. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { type Flows, startFlows } from '../support/flows.ts'
import { type PluginRegistry, publish, startPluginRegistry } from '../support/plugin-registry.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { addressOf, createNetwork, PLUGIN, PLUGIN_DIRECTORY } from '../support/romana-host.ts'

const RELEASES = ['sid', 'bookworm'] as const
const MARK = '// Another build.'
/** Of a connection, from the start of the flows to the end of the test: far less than it sends. */
const LEAST_NUMBERS = 50

let registry: PluginRegistry

beforeAll(async () => {
  registry = await startPluginRegistry('upgrade', RELEASES)
  await publish(registry, `${registry.repository}:1`, PLUGIN_DIRECTORY)
  const directory = mkdtempSync(join(tmpdir(), 'romana-upgrade-'))
  try {
    const next = join(directory, 'plugin')
    cpSync(PLUGIN_DIRECTORY, next, { recursive: true, verbatimSymlinks: true })
    appendFileSync(join(next, 'rootfs/romana/plugin.js'), MARK)
    await publish(registry, `${registry.repository}:2`, next)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
afterAll(() => registry?.lab.stop())

describe.each(RELEASES)('containers of two segments on an engine of Debian %s', (release) => {
  let host: LabHost
  const members: Member[] = []
  let flows: Flows

  beforeAll(async () => {
    host = installer(release)
    const install = ['plugin', 'install', '--grant-all-permissions', '--alias', PLUGIN]
    await host.docker([...install, `${registry.repository}:1`, 'ROMANA_LOG_LEVEL=debug'])
    await createNetwork(host, 'blue', '--ipam-opt', 'tenant=blue')
    const tagged = `${PLUGIN}:latest`
    await host.docker(['network', 'create', '-d', tagged, '--ipam-driver', tagged, 'green'])
    for (const network of ['blue', 'green']) {
      for (const number of [1, 2, 3, 4])
        members.push(await startMember(host, `${network}-${number}`, network))
    }
    const connections = members.flatMap((from) => [1, 2].map((step) => ({ from, to: neighbour(from, step) })))
    const outside = { name: 'outside', address: registry.lab.router.outside.address }
    const pings = members.flatMap((from) => [neighbour(from, 1), outside].map((to) => ({ from, to })))
    flows = await startFlows({ connections, pings })
  })
  afterAll(() => flows?.[Symbol.asyncDispose]())

  it.each(['2', '1'])('keep addresses and traffic while the plugin becomes version %s', async (version) => {
    const before = await addresses()
    await host.docker(['plugin', 'disable', '--force', PLUGIN])
    const late = startMember(host, `blue-during-${version}`, 'blue')
    const upgrade = ['plugin', 'upgrade', '--grant-all-permissions', '--skip-remote-check', PLUGIN]
    await host.docker([...upgrade, `${registry.repository}:${version}`])
    await host.docker(['plugin', 'enable', PLUGIN])
    members.push(await late, await startMember(host, `green-after-${version}`, 'green'))
    expect((await addresses()).slice(0, before.length)).toEqual(before)
    expect(new Set(await addresses()).size).toBe(members.length)
    expect(await reachability(members)).toBe(expectedReachability(members, sameNetwork))
    expect(await installed()).toEqual({
      reference: `${registry.repository}:${version}`,
      marked: version === '2',
    })
    expect(await settings()).toContain('ROMANA_LOG_LEVEL=debug')
  })

  it('lost not one packet of 16 connections and 16 pings meanwhile', async () => {
    expect(await flows.losses(LEAST_NUMBERS)).toEqual([])
  })

  /** In the same network, so many places further. */
  function neighbour(from: Member, step: number): Member {
    const own = members.filter(({ name }) => sameNetwork(name, from.name))
    const to = own[(own.indexOf(from) + step) % own.length]
    if (to === undefined) throw new Error(`${from.name} has no neighbour`)
    return to
  }

  function addresses(): Promise<string[]> {
    return Promise.all(members.map(({ name }) => addressOf(host, name)))
  }

  async function installed(): Promise<{ reference: string; marked: boolean }> {
    const format = ['--format', '{{.ID}} {{.PluginReference}}']
    const { stdout } = await host.docker(['plugin', 'inspect', ...format, PLUGIN])
    const [id = '', reference = ''] = stdout.split(' ')
    const program = host.rootPath(`/var/lib/docker/plugins/${id}/rootfs/romana/plugin.js`)
    return { reference, marked: readFileSync(program, 'utf8').endsWith(MARK) }
  }

  async function settings(): Promise<string> {
    return (await host.docker(['plugin', 'inspect', '--format', '{{.Settings.Env}}', PLUGIN])).stdout
  }
})

function sameNetwork(a: string, b: string): boolean {
  return a.split('-')[0] === b.split('-')[0]
}

function installer(release: (typeof RELEASES)[number]): LabHost {
  const host = registry.installers[RELEASES.indexOf(release)]
  if (host === undefined) throw new Error(`The lab has no host of ${release}`)
  return host
}
