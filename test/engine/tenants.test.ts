/** The life of tenants and segments, by what a person types: docker networks, and the romana command beside them. */
import { stat } from 'node:fs/promises'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CommandResult, run } from '../../lab/command.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import {
  addressOf,
  createNetwork,
  createSegmentNetwork,
  failureOf,
  PLUGIN,
  type RomanaHost,
  startIdle,
  startRomanaHost,
} from '../support/romana-host.ts'

const ROMANA = 'dist/romana.js'

/** The command line program as `npm run plugin` builds it, on the machine that the host is a part of. */
function romana(host: LabHost, line: string): Promise<CommandResult> {
  const socket = host.rootPath('/run/romana/admin.sock')
  return run(ROMANA, [...line.split(' '), '--socket', socket], { reject: false })
}

/** What it printed, behind its exit code: "0 Tenant blue has number 1". */
async function type(host: LabHost, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await romana(host, line)
  return `${exitCode} ${stdout}${stderr}`
}

async function networkNames(host: LabHost): Promise<string[]> {
  const { stdout } = await host.docker([
    'network',
    'ls',
    '--filter',
    'driver=romana',
    '--format',
    '{{.Name}}',
  ])
  return stdout.split('\n').filter((name) => name !== '')
}

describe('networks without options', () => {
  let lab: RomanaHost
  let host: LabHost
  beforeAll(async () => {
    lab = await startRomanaHost({ lab: 'automatic', release: 'sid' })
    host = lab.host
  })
  afterAll(() => lab?.lab.stop())

  it('come and go in 20 quick rounds of two', async () => {
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([createNetwork(host, 'one'), createNetwork(host, 'two')])
      await host.docker(['network', 'rm', 'one', 'two'])
    }
    expect(await type(host, 'segment list')).toBe('0 TENANT  SEGMENT  NUMBERS  CELL HERE  HOSTS')
  })

  it('are 15 at most, and one more when one is gone', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `network${index}`)
    for (const name of names) await createNetwork(host, name)
    const cells = (await romana(host, 'segment list')).stdout.match(/10\.1\.\d+\.0\/24/g)
    expect(new Set(cells).size).toBe(15)
    const more = ['network', 'create', '-d', 'romana', '--ipam-driver', 'romana', 'more']
    expect(await failureOf(host, more)).toContain(
      'Cannot make another segment: all 15 segment numbers of tenant "default" are taken. Remove one that is not needed',
    )
    await startIdle(host, 'kept', 'network3')
    const address = await addressOf(host, 'kept')
    await host.docker(['network', 'rm', 'network7'])
    await host.docker(more)
    expect(await addressOf(host, 'kept')).toBe(address)
  })

  it.each(['romana', `${PLUGIN}:latest`])(
    'are not made by %s without its IPAM driver: the refusal has the command, which makes one',
    async (driver) => {
      const nat = ['-o', 'nat=false']
      const refusal = await failureOf(host, ['network', 'create', '-d', driver, ...nat, '--internal', 'x'])
      const [, command = ''] = /docker (network create .*) NAME \(E_IPAM_PAIR\)/.exec(refusal) ?? []
      expect(command).toBe(`network create -d ${driver} --ipam-driver ${driver} -o nat=false --internal`)
      await host.docker(['network', 'rm', 'network0'])
      await host.docker([...command.split(' '), 'network0'])
    },
  )

  it('are freed by docker network prune, but for the one in use', async () => {
    await host.docker(['network', 'prune', '--force'])
    expect(await networkNames(host)).toEqual(['network3'])
    expect((await romana(host, 'segment list')).stdout.match(/auto-/g)).toHaveLength(1)
    await host.docker(['rm', '--force', 'kept'])
    await host.docker(['network', 'rm', 'network3'])
    expect(await type(host, 'tenant list')).toBe('0 TENANT   NUMBER  SEGMENTS\ndefault  1       0')
  })
})

describe('a network that Docker removed while the plugin was away', () => {
  it('stays until a person has it removed, which gives its segment back', async () => {
    await using lab = await startRomanaHost({ lab: 'lost', release: 'sid' })
    const { host } = lab
    const isReady = () =>
      expect.poll(async () => (await romana(host, 'status')).exitCode, { timeout: 20_000 }).toBe(0)
    await createNetwork(host, 'lost')
    await startIdle(host, 'held', await createSegmentNetwork(host, 'blue', 'web'))
    // Under the plain name the engine counts no references.
    await host.docker(['plugin', 'disable', PLUGIN])
    await host.docker(['network', 'rm', 'lost'])
    await host.docker(['plugin', 'enable', PLUGIN])
    await isReady()
    const [lost, held] = await recordedNetworks(host)
    expect([lost?.segment, lost?.endpoints, held?.segment, held?.endpoints]).toEqual(['auto-1', 0, 'web', 1])
    expect(await networkNames(host)).toEqual(['blue-web'])
    expect(await type(host, `network remove ${held?.networkId}`)).toContain('containers are on it: 10.1.33.2')
    expect(await type(host, `network remove ${lost?.networkId.slice(0, 12)}`)).toBe(
      `0 Removed network ${lost?.networkId.slice(0, 12)} of segment auto-1 of tenant default`,
    )
    expect((await romana(host, 'segment list')).stdout).not.toContain('auto-')
    expect(await type(host, 'plan')).toBe('0 Nothing: the host is as recorded')
    expect(await addressOf(host, 'held')).toBe('10.1.33.2')
  })
})

/** By segment. */
async function recordedNetworks(
  host: LabHost,
): Promise<{ networkId: string; segment: string; endpoints: number }[]> {
  const networks = v.parse(RecordedNetworks, JSON.parse((await romana(host, 'network list --json')).stdout))
  return networks.toSorted((a, b) => (a.segment < b.segment ? -1 : 1))
}

const RecordedNetworks = v.array(
  v.object({ networkId: v.string(), segment: v.string(), endpoints: v.number() }),
)

describe('the romana command', () => {
  let lab: RomanaHost
  let host: LabHost
  beforeAll(async () => {
    lab = await startRomanaHost({ lab: 'tenants', release: 'sid' }, { ROMANA_CREATE_SEGMENTS: 'off' })
    host = lab.host
  })
  afterAll(() => lab?.lab.stop())

  it('has a socket for root only, where the engine looks for no plugins', async () => {
    const { mode, uid } = await stat(host.rootPath('/run/romana/admin.sock'))
    expect([(mode & 0o777).toString(8), uid].join(' ')).toBe('600 0')
    // The socket is there before the plugin has recovered.
    await expect
      .poll(() => statusText(host), { timeout: 10_000 })
      .toBe(`\
0 state      ready
host       1
plan       10.0.0.0/8 8/4/4/8
IPv6 plan  fdXX:XXXX:XXXX::/48 16/16/16/32
tenants    0
segments   0, not made on first use
networks   0 on this host
endpoints  0 on this host`)
  })

  it('makes the segments that networks may not make', async () => {
    const create = ['network', 'create', '-d', 'romana', '--ipam-driver', 'romana']
    const web = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web', 'blue-web']
    expect(await failureOf(host, [...create, ...web])).toContain(
      'Cannot use segment "web" of tenant "blue": there is none, and ROMANA_CREATE_SEGMENTS=off keeps networks from making it. Check the names or, as root: romana segment add blue web',
    )
    expect(await type(host, 'tenant add blue')).toBe('0 Tenant blue has number 1')
    expect(await type(host, 'segment add blue web')).toBe(
      '0 Segment web of tenant blue has 10.1.17.0/24 on this host',
    )
    await createSegmentNetwork(host, 'blue', 'web')
    await startIdle(host, 'web-1', 'blue-web')
    expect(await addressOf(host, 'web-1')).toBe('10.1.17.2')
    await createNetwork(host, 'own')
    expect(await type(host, 'segment list')).toBe(`\
0 TENANT   SEGMENT  NUMBERS  CELL HERE     HOSTS
blue     web      1.1      10.1.17.0/24  1
default  auto-1   2.1      10.1.33.0/24  1`)
  })

  it('shows what this host has', async () => {
    const [networkId] = (
      await host.docker(['network', 'ls', '-q', '--filter', 'name=blue-web'])
    ).stdout.split('\n')
    const networks = (await romana(host, 'network list')).stdout.split('\n')
    expect(networks.find((line) => line.startsWith(`${networkId}`))?.replaceAll(/ +/g, ' ')).toBe(
      `${networkId} blue web 10.1.17.0/24 10.1.17.1 no 1 -`,
    )
    const { stdout } = await romana(host, 'endpoint list --json')
    expect(JSON.parse(stdout)).toMatchObject([
      { ...{ tenant: 'blue', segment: 'web' }, address: '10.1.17.2' },
    ])
  })

  it('shows what would be put right, and changes nothing', async () => {
    expect(await type(host, 'plan')).toBe('0 Nothing: the host is as recorded')
  })

  it('removes no tenant and no segment that is in use, also after the plugin was killed', async () => {
    await host.runInside('pkill', ['-KILL', '-f', 'romana/plugin.js'])
    await expect.poll(async () => (await romana(host, 'status')).exitCode, { timeout: 20_000 }).toBe(0)
    expect(await type(host, 'segment remove blue web')).toMatch(
      /^1 Cannot remove segment "web" of tenant "blue": it has networks on host 1 \(h1\)\. Remove them there first, with docker network rm \(E_SEGMENT_IN_USE\)$/,
    )
    expect(await type(host, 'tenant remove blue')).toContain('it has segments: web')
    await host.docker(['rm', '--force', 'web-1'])
    await host.docker(['network', 'rm', 'blue-web', 'own'])
    expect(await type(host, 'segment remove blue web')).toBe('0 Removed segment web of tenant blue')
    expect(await type(host, 'tenant remove blue')).toBe('0 Removed tenant blue')
    expect(await type(host, 'tenant add green')).toBe('0 Tenant green has number 3')
  })

  it('says why the plugin is not ready', async () => {
    await host.docker(['plugin', 'disable', PLUGIN])
    expect(await type(host, 'status')).toContain('1 Cannot ask the plugin at ')
    await host.docker(['plugin', 'set', PLUGIN, 'ROMANA_CREATE_SEGMENTS=maybe'])
    await host.docker(['plugin', 'enable', PLUGIN])
    expect(await type(host, 'status')).toBe(`\
1 state   not ready
reason  Cannot use the settings of the plugin: ROMANA_CREATE_SEGMENTS: "maybe" is none of on, off. Disable the plugin, correct them with docker plugin set, and enable it (E_CONFIG)`)
  })
})

/** The random prefix left out. */
async function statusText(host: LabHost): Promise<string> {
  return (await type(host, 'status')).replace(/fd[\da-f:]+::/, 'fdXX:XXXX:XXXX::')
}
