/** The plugin comes from a registry, as docs/install.md says. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PluginRegistry, publish, startPluginRegistry } from '../support/plugin-registry.ts'
import { expectedReachability, reachability, startMember } from '../support/reach.ts'
import { failureOf, PLUGIN, PLUGIN_DIRECTORY } from '../support/romana-host.ts'

const RELEASES = ['sid', 'bookworm'] as const

let registry: PluginRegistry
let reference: string

beforeAll(async () => {
  registry = await startPluginRegistry('install', RELEASES)
  reference = `${registry.repository}:1`
  await publish(registry, reference, PLUGIN_DIRECTORY)
})
afterAll(() => registry?.lab.stop())

describe.each(RELEASES)('an engine of Debian %s, from a registry', (release) => {
  it('is asked for the privileges that docs/install.md lists, and takes no for an answer', async () => {
    const host = installer(release)
    const install = ['plugin', 'install', '--alias', PLUGIN, reference]
    const { stdout } = await host.docker(install, { input: 'n\n', reject: false })
    const asked = stdout.split('\n').filter((line) => line.startsWith(' - '))
    expect(asked.join('\n')).toBe(documentedPrivileges())
    expect((await host.docker(['plugin', 'ls', '--quiet'])).stdout).toBe('')
  })

  it('has networks and containers under both names, and refuses to disable the plugin under them', async () => {
    const host = installer(release)
    const options = ['--grant-all-permissions', '--alias', PLUGIN, reference, 'ROMANA_LOG_LEVEL=debug']
    await host.docker(['plugin', 'install', ...options])
    for (const [name, driver] of [
      ['plain', 'romana'],
      ['tagged', `${PLUGIN}:latest`],
    ] as const) {
      const segment = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web']
      await host.docker(['network', 'create', '-d', driver, '--ipam-driver', driver, ...segment, name])
    }
    const members = [await startMember(host, 'one', 'plain'), await startMember(host, 'two', 'tagged')]
    expect(await reachability(members)).toBe(expectedReachability(members, () => true))
    expect(await failureOf(host, ['plugin', 'disable', PLUGIN])).toContain(`${PLUGIN}:latest is in use`)
    expect(host.engineLog().includes('NetworkDriver.Join')).toBe(true)
  })

  it('has nothing of it any more when all is removed, except the state', async () => {
    const host = installer(release)
    await host.docker(['rm', '-f', 'one', 'two'])
    await host.docker(['network', 'rm', 'plain', 'tagged'])
    await host.docker(['plugin', 'disable', PLUGIN])
    await host.docker(['plugin', 'rm', PLUGIN])
    const left = [
      await host.run('ip', ['rule', 'show']),
      await host.run('ip', ['-o', 'link', 'show']),
      await host.run('iptables-save', []),
      await host.run('iptables-legacy-save', []),
    ]
    expect(left.map(({ stdout }) => stdout).join('\n')).not.toMatch(/8200|: rm[np]|ROMANA/)
    expect((await host.runInside('ls', ['/var/lib/romana'])).stdout).toContain('journal.db')
    expect((await host.runInside('ls', ['/run/docker/plugins'])).stdout).not.toContain('romana')
  })
})

function installer(release: (typeof RELEASES)[number]) {
  const host = registry.installers[RELEASES.indexOf(release)]
  if (host === undefined) throw new Error(`The lab has no host of ${release}`)
  return host
}

/** The lines that begin with " - " in the page's first block that has such lines. */
function documentedPrivileges(): string {
  const [block = ''] = /(^ - .*\n)+/m.exec(readFileSync('docs/install.md', 'utf8')) ?? []
  return block.trimEnd()
}
