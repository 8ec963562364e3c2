/**
 * What passes while somebody has taken Romana's rules away: from a container of one tenant to one of another, a UDP datagram each
 * millisecond, counted by the kernel where they arrive.
 */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../lab/command.ts'
import { IMAGE } from '../lab/image.ts'
import type { LabHost } from '../lab/lab-host.ts'
import { sandboxOf } from '../lab/sandboxes.ts'
import { waitUntil } from '../lab/wait-until.ts'
import { CALM_MS } from '../network-driver/repair.ts'
import { createRomanaNetwork, startOneHost } from './one-host.ts'

const VARIANTS = ['nft', 'legacy'] as const
type Variant = (typeof VARIANTS)[number]

/** One way of taking rules away, as often as it was done. */
export interface Gap {
  readonly variant: Variant
  readonly what: string
  /** Milliseconds until all rules were as before, of each time. */
  readonly backMs: readonly number[]
  /** Datagrams that have passed, of each time. */
  readonly passed: readonly number[]
}

interface Way {
  readonly what: string
  readonly line: string
  /** Takes back what was done to others. */
  readonly undo?: string
}

const SAVE = 'iptables-save > /root/rules; ip6tables-save > /root/rules6'
const RESTORE = 'iptables-restore < /root/rules; ip6tables-restore < /root/rules6'
const LET_ALL_PASS = 'FORWARD -m comment --comment all -j ACCEPT'
const FLUSH_ALL: Readonly<Record<Variant, string>> = {
  nft: 'nft flush ruleset',
  legacy:
    'for t in filter nat raw; do iptables -t $t -F; iptables -t $t -X; done; iptables -P FORWARD ACCEPT',
}

function waysOf(variant: Variant): readonly Way[] {
  return [
    { what: 'our forward chain is flushed', line: 'iptables -F ROMANA-FORWARD' },
    { what: 'our jump is deleted', line: 'iptables -D FORWARD -j ROMANA-FORWARD' },
    {
      what: 'a rule above ours lets all pass',
      line: `iptables -I ${LET_ALL_PASS}`,
      undo: `iptables -D ${LET_ALL_PASS}`,
    },
    { what: 'the filter table is flushed', line: 'iptables -F', undo: RESTORE },
    { what: 'all tables are flushed and FORWARD accepts', line: FLUSH_ALL[variant], undo: RESTORE },
  ]
}

const PORT = 7000
/** Milliseconds. */
const PATIENCE_MS = 20_000
const PAUSE_MS = 500
/**
 * Twenty repairs without a calm between them are taken for a fight with a program, and repairs wait then. To take back what was done
 * to others can lead to a second repair.
 */
const IN_A_ROW = 5

export async function measureGaps(alias: string, flushes: number): Promise<Gap[]> {
  const gaps: Gap[] = []
  for (const variant of VARIANTS) gaps.push(...(await measureVariant(alias, variant, flushes)))
  return gaps
}

async function measureVariant(alias: string, variant: Variant, flushes: number): Promise<Gap[]> {
  await using one = await startOneHost(`gaps${variant}`, { release: 'sid', iptables: variant })
  const { host } = one
  await host.installPlugin({ alias, directory: 'dist/plugin' })
  const sender = await startContainer(host, 'blue')
  const receiver = await startContainer(host, 'green')
  await type(host, SAVE)
  const whole = await rulesOf(host)
  using _stream = startStream(sender.netns, receiver.address)
  const gaps: Gap[] = []
  for (const { what, line, undo } of waysOf(variant)) {
    const [backMs, passed]: [number[], number[]] = [[], []]
    for (let round = 0; round < flushes; round += 1) {
      const before = await countDatagrams(receiver.netns)
      const startedMs = performance.now()
      await type(host, line)
      await waitUntil(
        { what: `the rules after ${what}`, timeoutMs: PATIENCE_MS },
        async () => (await rulesOf(host)) === whole,
      )
      backMs.push(performance.now() - startedMs)
      if (undo !== undefined) await type(host, undo)
      await sleep(PAUSE_MS)
      passed.push((await countDatagrams(receiver.netns)) - before)
      if (round % IN_A_ROW === 0) await sleep(CALM_MS)
    }
    gaps.push({ variant, what, backMs, passed })
  }
  return gaps
}

interface Container {
  readonly address: string
  /** A path. */
  readonly netns: string
}

async function startContainer(host: LabHost, tenant: string): Promise<Container> {
  const options = ['--ipam-opt', `tenant=${tenant}`, '--ipam-opt', 'segment=web']
  await createRomanaNetwork(host, tenant, { options })
  await host.docker(['run', '--detach', '--name', tenant, '--network', tenant, IMAGE, 'sleep', '100000'])
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
  const { stdout } = await host.docker(['inspect', '--format', format, tenant])
  return { address: stdout, netns: await sandboxOf(host, tenant) }
}

/** Perl is part of every Debian. */
function startStream(netns: string, address: string): Disposable {
  const program = `use Socket; socket(S, AF_INET, SOCK_DGRAM, 0); connect(S, pack_sockaddr_in(${PORT}, inet_aton("${address}"))); for (;;) { send(S, "x", 0); select(undef, undef, undef, 0.001) }`
  const child = spawn('nsenter', [`--net=${netns}`, 'perl', '-e', program], { stdio: 'ignore' })
  return { [Symbol.dispose]: () => void child.kill() }
}

/** All that have come to this network namespace by UDP, whether somebody listens or not. */
async function countDatagrams(netns: string): Promise<number> {
  const { stdout } = await run('nsenter', [`--net=${netns}`, 'cat', '/proc/net/snmp'])
  const [received, unheard] = /^Udp: (\d+) (\d+)/m.exec(stdout)?.slice(1) ?? []
  return Number(received) + Number(unheard)
}

/** Romana's rules, and what stands before its jump but for the person's own chain. */
async function rulesOf(host: LabHost): Promise<string> {
  const { stdout } = await host.runInside('iptables-save', [])
  const lines = stdout.split('\n')
  const jump = lines.indexOf('-A FORWARD -j ROMANA-FORWARD')
  const before = lines.filter((line, index) => /^-A FORWARD (?!-j DOCKER-USER$)/.test(line) && index < jump)
  return [...before, ...lines.filter((line) => /^-A .*ROMANA-/.test(line))].join('\n')
}

async function type(host: LabHost, line: string): Promise<void> {
  await host.runInside('sh', ['-c', line])
}
