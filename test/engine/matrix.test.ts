/** Three tenants with three segments of three containers each: who reaches whom, in quiet and after disturbances. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { createSegmentNetwork, type RomanaHost, startIdle, startRomanaHost } from '../support/romana-host.ts'

const TENANTS = ['blue', 'green', 'red']
const SEGMENTS = ['app', 'db', 'web']
const NUMBERS = [1, 2, 3]
const TABLES = ['raw', 'filter', 'nat', 'mangle']
/** Rules that somebody flushed are back within this time, in milliseconds. */
const REPAIR_MS = 2_000
/** So long waits who looks whether they are. */
const LOOK = { timeout: REPAIR_MS, interval: 50 }

describe.each([
  { release: 'sid', iptables: 'nft' },
  { release: 'bookworm', iptables: 'legacy' },
] as const)('on the Docker of Debian $release, iptables $iptables', ({ release, iptables }) => {
  let romana: RomanaHost
  let host: LabHost
  let members: readonly Member[]

  beforeAll(async () => {
    const lab = `matrix${release.slice(0, 1)}${iptables.slice(0, 1)}`
    romana = await startRomanaHost({
      lab,
      release,
      iptables,
      engineArgs: ['--bridge=none', '--live-restore'],
    })
    host = romana.host
    const segments = TENANTS.flatMap((tenant) => SEGMENTS.map((segment) => startSegment(tenant, segment)))
    members = (await Promise.all(segments)).flat()
  })
  afterAll(() => romana?.lab.stop())

  it('each container reaches exactly those of its segment', async () => {
    expect(new Set(members.map(({ address }) => address)).size).toBe(27)
    await expectSegments()
  })

  it('all rules are flushed', async () => {
    const before = await rules()
    expect(await packetsWithinSegments()).toBeGreaterThan(0)
    for (const table of TABLES) await host.runInside('iptables', ['--table', table, '--flush'])
    await expect.poll(rules, LOOK).toBe(before)
    // They are new ones.
    expect(await packetsWithinSegments()).toBe(0)
    await expectSegments()
  })

  it('the plugin is killed', async () => {
    await host.runInside('pkill', ['-KILL', '-f', 'romana/plugin.js'])
    await expectSegments()
    await startIdle(host, 'after-kill', 'blue-web')
    await host.docker(['rm', '--force', 'after-kill'])
  })

  it('the engine is restarted', async () => {
    await host.restartEngine()
    await expectSegments()
  })

  it('a container is connected to networks of other segments and tenants, and disconnected', async () => {
    const [moving = '', ...others] = members.map(({ name }) => name)
    expect(moving).toBe('blue-app-1')
    for (const network of ['blue-db', 'red-app']) await host.docker(['network', 'connect', network, moving])
    await expectSegments(others)
    for (const network of ['blue-db', 'red-app'])
      await host.docker(['network', 'disconnect', network, moving])
    await expectSegments()
  })

  async function startSegment(tenant: string, segment: string): Promise<Member[]> {
    const network = await createSegmentNetwork(host, tenant, segment)
    return await Promise.all(NUMBERS.map((number) => startMember(host, `${network}-${number}`, network)))
  }

  /** "blue-web-1" and "blue-web-2" are in one segment. */
  async function expectSegments(names = members.map(({ name }) => name)): Promise<void> {
    const chosen = members.filter(({ name }) => names.includes(name))
    const together = (a: string, b: string) => a.slice(0, -2) === b.slice(0, -2)
    expect(await reachability(chosen)).toBe(expectedReachability(chosen, together))
  }

  /** Ours, and what leads to them; without counters. */
  async function rules(): Promise<string> {
    const { stdout } = await host.runInside('iptables-save', [])
    const ours = stdout.split('\n').filter((line) => line.includes('ROMANA'))
    return ours.map((line) => line.replaceAll(/\[\d+:\d+\]/g, '')).join('\n')
  }

  /** As the rule that accepts them has counted. */
  async function packetsWithinSegments(): Promise<number> {
    const { stdout } = await host.runInside('iptables-save', ['--counters'])
    return Number(/^\[(\d+):\d+\] -A ROMANA-FORWARD .*-m bpf .*-j ACCEPT/m.exec(stdout)?.[1])
  }
})
