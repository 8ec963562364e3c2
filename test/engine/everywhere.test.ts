/** A segment that is a network on every host: what the plugin does with the engine of its host, on both ends of the releases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../lab/command.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { addressOf, type RomanaHost, startIdle, startRomanaHost } from '../support/romana-host.ts'

/** The exit code and what the romana command printed behind it. */
async function romana(host: LabHost, line: string): Promise<string> {
  const socket = host.rootPath('/run/romana/admin.sock')
  const words = [...line.split(' '), '--socket', socket]
  const { exitCode, stdout, stderr } = await run('dist/romana.js', words, { reject: false })
  return `${exitCode} ${stdout}${stderr}`
}

/** "blue-web blue/web": the networks of the driver and their labels. */
async function networksOf(host: LabHost): Promise<string> {
  const format = '{{.Name}} {{.Label "romana.everywhere"}}'
  const list = ['network', 'ls', '--filter', 'driver=romana', '--format', format]
  return (await host.docker(list)).stdout.trim()
}

function expectNetworks(host: LabHost, networks: string): Promise<void> {
  return expect.poll(() => networksOf(host), { timeout: 20_000 }).toBe(networks)
}

describe.each(['sid', 'bookworm'] as const)('a segment everywhere, with the engine of %s', (release) => {
  let lab: RomanaHost
  let host: LabHost
  beforeAll(async () => {
    const settings = { ROMANA_ENGINE_SOCKET: '/run/docker.sock' }
    lab = await startRomanaHost({ lab: `every${release}`.slice(0, 10), release }, settings)
    host = lab.host
  })
  afterAll(() => lab?.lab.stop())

  it('becomes a network by itself, with a container that is known by name', async () => {
    expect(await romana(host, 'segment add blue web --everywhere')).toContain('0 Segment web')
    await expectNetworks(host, 'blue-web blue/web')
    await startIdle(host, 'web-1', 'blue-web')
    expect(await addressOf(host, 'web-1')).toBe('10.1.17.2')
    const listed = () => romana(host, 'endpoint list --all')
    await expect.poll(listed, { timeout: 20_000 }).toMatch(/\n1 .* blue +web +10\.1\.17\.2 +web-1$/)
  })

  it('is made again when somebody removes it, and after a restart of the engine', async () => {
    await host.docker(['rm', '--force', 'web-1'])
    await host.docker(['network', 'rm', 'blue-web'])
    await expectNetworks(host, 'blue-web blue/web')
    await host.restartEngine()
    await expectNetworks(host, 'blue-web blue/web')
    await romana(host, 'segment add blue db --everywhere')
    await expectNetworks(host, 'blue-db blue/db\nblue-web blue/web')
    expect(await romana(host, 'segment remove blue db')).toBe('0 Removed segment db of tenant blue')
    await expectNetworks(host, 'blue-web blue/web')
  })

  it('leaves a network of the name that somebody made', async () => {
    const mine = ['network', 'create', '-d', 'romana', '--ipam-driver', 'romana']
    await host.docker([...mine, '--ipam-opt', 'tenant=green', 'green-web'])
    await romana(host, 'segment add green web --everywhere')
    await romana(host, 'segment remove green web')
    await expectNetworks(host, 'blue-web blue/web\ngreen-web')
    await host.docker(['network', 'rm', 'green-web'])
  })

  it('goes when the last container is gone', async () => {
    await startIdle(host, 'web-2', 'blue-web')
    expect(await romana(host, 'segment remove blue web')).toMatch(
      /^1 Cannot remove segment "web" of tenant "blue": it has networks on host 1 \(h1\)/,
    )
    await host.docker(['rm', '--force', 'web-2'])
    await expectNetworks(host, '')
    expect(await romana(host, 'segment remove blue web')).toBe('0 Removed segment web of tenant blue')
  })
})
