/** Others flush and delete what is Romana's while containers talk: the host is whole again within 2 s. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { CALM_MS } from '../../network-driver/repair.ts'
import { foreignRules, ownFootprint } from '../support/footprint.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { createSegmentNetwork, type RomanaHost, startRomanaHost } from '../support/romana-host.ts'

const BACK_WITHIN_MS = 2_000
const PING_EVERY_MS = 100
/** Two disturbances can follow each other so closely that they make one pause. */
const LONGEST_PAUSE_MS = 3_000

/** What somebody types. */
interface Disturbance {
  readonly what: string
  readonly line: string
  /** Takes back what was done to others. */
  readonly undo?: string
}

const RESTORE_OTHERS = 'iptables-restore < /root/rules; ip6tables-restore < /root/rules6'
const RULES: readonly Disturbance[] = [
  { what: 'our forward chain is flushed', line: 'iptables -F ROMANA-FORWARD' },
  {
    what: 'a rule is put above ours',
    line: 'iptables -I FORWARD 1 -s 198.51.100.9 -j ACCEPT',
    undo: 'iptables -D FORWARD -s 198.51.100.9 -j ACCEPT',
  },
  { what: 'one rule is deleted', line: 'iptables -D ROMANA-FORWARD 1' },
  { what: 'our jump is deleted', line: 'iptables -D FORWARD -j ROMANA-FORWARD' },
  { what: 'the filter table is flushed', line: 'iptables -F', undo: RESTORE_OTHERS },
  { what: 'what no rule decides on is let through', line: 'iptables -P FORWARD ACCEPT' },
]
const ROUTES: readonly Disturbance[] = [
  { what: 'our routes are flushed', line: 'ip route flush table 8200' },
  { what: 'the policy rule is deleted', line: 'ip rule delete priority 8200' },
  { what: 'a gateway is deleted', line: 'ip address delete 10.1.17.1/32 dev rmne1' },
  { what: 'the link of a container is set down', line: 'ip link set rmne1 down' },
  { what: 'forwarding is switched off', line: 'sysctl -qw net.ipv4.ip_forward=0' },
]
const FLUSH_ALL = {
  nft: 'nft flush ruleset',
  legacy: 'for t in filter nat raw; do iptables -t $t -F; iptables -t $t -X; done',
}

describe.each([
  { release: 'sid', iptables: 'nft', disturbances: [...RULES, ...ROUTES], repeats: 2 },
  { release: 'sid', iptables: 'legacy', disturbances: RULES, repeats: 2 },
  {
    release: 'bookworm',
    iptables: 'nft',
    disturbances: [...RULES.slice(0, 2), ...ROUTES.slice(0, 1)],
    repeats: 1,
  },
  { release: 'bookworm', iptables: 'legacy', disturbances: RULES.slice(0, 2), repeats: 1 },
] as const)('Docker of Debian $release with iptables-$iptables', ({ release, iptables, ...shown }) => {
  let romana: RomanaHost
  let host: LabHost
  let whole: string
  let others: string
  const members: Member[] = []

  beforeAll(async () => {
    const lab = `rep${release.slice(0, 3)}${iptables.slice(0, 3)}`
    romana = await startRomanaHost({ lab, release, iptables, engineArgs: [] })
    host = romana.host
    for (const tenant of ['blue', 'green']) await startTwo(await createSegmentNetwork(host, tenant, 'web'))
    await host.docker(['network', 'create', 'lan'])
    await host.docker(['network', 'create', '--internal', 'vault'])
    for (const network of ['bridge', 'lan', 'vault']) await startTwo(network)
    await typeIn('iptables -I INPUT 1 -p tcp --dport 9 -j DROP')
    await typeIn('iptables -A DOCKER-USER -s 198.51.100.0/24 -j DROP')
    await pause(1_500)
    whole = await ownFootprint(host)
    others = await foreignRules(host)
    await typeIn('iptables-save > /root/rules; ip6tables-save > /root/rules6')
    await keepPinging('blue-web-2')
    await keepPinging('green-web-1')
  })
  afterAll(() => romana?.lab.stop())

  const inOneNetwork = (a: string, b: string) => a.slice(0, -2) === b.slice(0, -2)

  it('the rules are where Docker has its own, and nowhere else', async () => {
    const save = async (variant: string) => (await host.runInside(`iptables-${variant}-save`, [])).stdout
    expect(await save(iptables)).toMatch(/^:DOCKER-USER [\s\S]*^:ROMANA-FORWARD /m)
    expect(await save(iptables === 'nft' ? 'legacy' : 'nft')).not.toContain('ROMANA')
  })

  it('no container reaches one of another network, Docker bridges included, internal or not', async () => {
    await expectReachability()
  })

  it.for(shown.disturbances)('is whole within 2 s after $what', async (disturbance, { annotate }) => {
    // Twenty repairs without a calm between them are taken for a fight with a program, and repairs wait then.
    await pause(CALM_MS + PING_EVERY_MS)
    await annotate(await disturbAndWait(disturbance))
    await expectReachability()
  })

  it('not one packet has crossed to another tenant meanwhile, and the flow has recovered each time', async () => {
    expect(await answersOf('green-web-1')).toEqual([])
    const answers = await answersOf('blue-web-2')
    const pausesMs = answers.map((sequence, index) => (sequence - (answers[index - 1] ?? 0)) * PING_EVERY_MS)
    expect(answers.length).toBeGreaterThan(50)
    expect(Math.max(...pausesMs)).toBeLessThanOrEqual(LONGEST_PAUSE_MS)
  })

  it('is whole within 2 s after all tables are flushed, the rules of Docker too', async ({ annotate }) => {
    await pause(CALM_MS + PING_EVERY_MS)
    const line = FLUSH_ALL[iptables]
    const times = await disturbAndWait({ what: 'all tables are flushed', line, undo: RESTORE_OTHERS })
    await annotate(`${times}; ${(await answersOf('green-web-1')).length} packets have crossed`)
    await expectReachability()
    expect(host.engineLog()).not.toContain('the host is not repaired')
  })

  async function startTwo(network: string): Promise<void> {
    for (const number of [1, 2]) members.push(await startMember(host, `${network}-${number}`, network))
  }

  async function expectReachability(): Promise<void> {
    expect(await reachability(members)).toBe(expectedReachability(members, inOneNetwork))
  }

  /** Every time: whole, and the rules of others as before. Gives the times. */
  async function disturbAndWait({ what, line, undo }: Disturbance): Promise<string> {
    const backMs: number[] = []
    for (let repeat = 0; repeat < shown.repeats; repeat += 1) {
      await typeIn(line)
      backMs.push(await timeUntilWhole())
      if (undo !== undefined) await typeIn(undo)
      expect(await foreignRules(host)).toBe(others)
      await pause(3 * PING_EVERY_MS)
    }
    expect(Math.max(...backMs)).toBeLessThanOrEqual(BACK_WITHIN_MS)
    return `${what}: back within ${backMs.toSorted((a, b) => a - b).join(', ')} ms`
  }

  async function timeUntilWhole(): Promise<number> {
    const startedMs = performance.now()
    const wait = { timeout: 10_000, interval: 10 }
    await expect.poll(() => ownFootprint(host), wait).toBe(whole)
    return Math.round(performance.now() - startedMs)
  }

  async function keepPinging(name: string): Promise<void> {
    const address = members.find((member) => member.name === name)?.address
    const script = `ping -i ${PING_EVERY_MS / 1_000} ${address} > /tmp/ping-${name}`
    await host.docker(['exec', '--detach', 'blue-web-1', 'sh', '-c', script])
  }

  /** The numbers of the pings that were answered. */
  async function answersOf(name: string): Promise<number[]> {
    const { stdout } = await host.docker(['exec', 'blue-web-1', 'cat', `/tmp/ping-${name}`])
    return [...stdout.matchAll(/ seq=(\d+) /g)].map(([, sequence]) => Number(sequence))
  }

  /** A person of this host types a line. */
  async function typeIn(line: string): Promise<void> {
    await host.runInside('sh', ['-c', line])
  }
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
