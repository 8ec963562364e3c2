/** What a person types, on the newest and on the oldest engine. */
import { describe, expect, it } from 'vitest'
import { expectedReachability, reachability, startMember } from '../support/reach.ts'
import {
  addressOf,
  createNetwork,
  createSegmentNetwork,
  failureOf,
  IMAGE,
  PLUGIN,
  PLUGIN_DIRECTORY,
  startIdle,
  startRomanaHost,
} from '../support/romana-host.ts'

const TAGGED = `${PLUGIN}:latest`

describe.each([
  { release: 'sid', leastVersion: 28 },
  { release: 'bookworm', leastVersion: 20 },
] as const)('Docker of Debian $release', ({ release, leastVersion }) => {
  it('serves networks under the plain and the tagged name, from create to remove', async () => {
    await using romana = await startRomanaHost({ lab: `names${leastVersion}`, release })
    const { host } = romana
    expect(Number.parseInt(host.engineVersion, 10)).toBeGreaterThanOrEqual(leastVersion)
    const web = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web']
    const db = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=db']
    await createNetwork(host, 'plain', ...web)
    await host.docker(['network', 'create', '-d', TAGGED, '--ipam-driver', TAGGED, ...web, 'tagged'])
    await createNetwork(host, 'other', ...db)
    await createNetwork(host, 'inner', '--internal')
    const members = [
      await startMember(host, 'plain-1', 'plain', '--restart', 'always'),
      await startMember(host, 'tagged-1', 'tagged', '--restart', 'always'),
      await startMember(host, 'other-1', 'other'),
      await startMember(host, 'inner-1', 'inner'),
      await startMember(host, 'inner-2', 'inner'),
    ]
    expect(members.map(({ address }) => address)).toEqual([
      '10.1.17.2',
      '10.1.17.3',
      '10.1.18.2',
      '10.1.33.2',
      '10.1.33.3',
    ])
    const segmentOf = (name: string) => (name.startsWith('tagged') ? 'plain' : name.slice(0, -2))
    const together = (a: string, b: string) => segmentOf(a) === segmentOf(b)
    expect(await reachability(members)).toBe(expectedReachability(members, together))

    const outside = romana.lab.router.outside.address
    const ping = (from: string) => ['exec', from, 'ping', '-c', '1', '-W', '1', outside]
    await host.docker(ping('plain-1'))
    await failureOf(host, ping('inner-1'))

    await host.restartEngine()
    const restarted = ['plain-1', 'tagged-1']
    await expect.poll(() => runningCount(), { timeout: 30_000 }).toBe(restarted.length)
    const again = await Promise.all(
      restarted.map(async (name) => ({ name, address: await addressOf(host, name), host })),
    )
    expect(await reachability(again)).toBe(expectedReachability(again, () => true))

    await host.docker(['rm', '-f', ...members.map(({ name }) => name)])
    await host.docker(['network', 'rm', 'plain', 'tagged', 'other', 'inner'])
    expect((await host.run('ip', ['rule', 'show'])).stdout).not.toContain('8200')
    expect((await host.run('ip', ['-o', 'link', 'show', 'type', 'veth'])).stdout).not.toMatch(/: rm[np]/)

    async function runningCount(): Promise<number> {
      const { stdout } = await host.docker(['ps', '--quiet'])
      return stdout.split('\n').filter((line) => line !== '').length
    }
  })
})

describe('what Docker prints when something is wrong', () => {
  it('a plan that overlaps the LAN is refused with one that is free, which then works', async () => {
    await using romana = await startRomanaHost({ lab: 'overlap', release: 'sid' })
    const { host } = romana
    await host.run('ip', ['address', 'add', '10.0.0.5/24', 'dev', 'eth0'])
    const create = ['network', 'create', '-d', 'romana', '--ipam-driver', 'romana', 'any']
    const failure = await failureOf(host, create)
    expect(failure).toContain(
      'Cannot use the address plan "10.0.0.0/8 8/4/4/8": this host uses some of its addresses otherwise: ' +
        'address 10.0.0.5/24 on eth0, route 10.0.0.0/24 dev eth0.',
    )
    const [, plan = ''] = /ROMANA_PLAN="([^"]+)" \(E_PLAN_OVERLAP\)/.exec(failure) ?? []
    await host.docker(['plugin', 'disable', PLUGIN])
    await host.docker(['plugin', 'set', PLUGIN, `ROMANA_PLAN=${plan}`])
    await host.docker(['plugin', 'enable', PLUGIN])
    await host.docker(create)
    await startIdle(host, 'one', 'any')
    expect((await host.run('ip', ['route', 'get', '10.0.0.9'])).stdout).toContain('dev eth0')
  })

  it('wrong settings, a second plugin and unknown options each say so', async () => {
    await using romana = await startRomanaHost(
      { lab: 'wrong', release: 'sid' },
      { ROMANA_PLAN: '10.0.0.0/8 8/8/8/8' },
    )
    const { host } = romana
    const create = ['network', 'create', '-d', TAGGED, '--ipam-driver', TAGGED, 'any']
    expect(await failureOf(host, create)).toContain(
      'ROMANA_PLAN: Cannot use the address plan "10.0.0.0/8 8/8/8/8": prefix and widths must add up to 32 bits: they add up to 40',
    )
    await host.docker(['plugin', 'disable', PLUGIN])
    await host.docker(['plugin', 'set', PLUGIN, 'ROMANA_PLAN='])
    await host.docker(['plugin', 'enable', PLUGIN])

    await host.installPlugin({ alias: 'romana-two', directory: PLUGIN_DIRECTORY })
    const two = create.map((word) => (word === TAGGED ? 'romana-two:latest' : word))
    expect(await failureOf(host, two)).toContain('another Romana plugin does')
    await createSegmentNetwork(host, 'blue', 'web')

    expect(await failureOf(host, [...create, '--ipam-opt', 'tennant=blue'])).toContain(
      'Cannot use the option "--ipam-opt tennant"',
    )
    expect(await failureOf(host, [...create, '-o', 'parent=eth0'])).toContain(
      'Cannot use the option "-o parent"',
    )
    expect(await failureOf(host, [...create, '--subnet', '10.2.17.0/24'])).toContain(
      'its bits say host 2, and this is host 1',
    )
    expect(await failureOf(host, ['network', 'create', '-d', 'romana', 'any'])).toContain(
      'docker network create -d romana --ipam-driver romana NAME (E_IPAM_PAIR)',
    )
    expect(
      await failureOf(host, [
        'run',
        '--rm',
        '--network',
        'blue-web',
        '-p',
        '[2001:db8::1]:80:80',
        IMAGE,
        'true',
      ]),
    ).toContain('Cannot publish port 80/tcp: 2001:db8::1 is an IPv6 address')
    expect(
      (await host.docker(['network', 'ls', '--quiet', '--filter', 'driver=romana'])).stdout.split('\n'),
    ).toHaveLength(1)
  })

  it('the plain name can be turned off', async () => {
    await using romana = await startRomanaHost(
      { lab: 'plainoff', release: 'sid' },
      { ROMANA_PLAIN_NAME: 'off' },
    )
    const { host } = romana
    const create = (driver: string) => ['network', 'create', '-d', driver, '--ipam-driver', driver, 'any']
    expect(await failureOf(host, create('romana'))).toContain('romana')
    await host.docker(create(TAGGED))
  })
})
