/** A host of its own in a network namespace: the real observer and applier on the real kernel. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FORWARDING6, makeSetSysctl } from '../../host/host-files.ts'
import type { HostState } from '../../host/host-state.ts'
import { openIpBatch } from '../../host/ip-batch.ts'
import { findIptables, type IptablesVariant } from '../../host/iptables-variant.ts'
import { type Host, openLinuxHost } from '../../host/linux-host.ts'
import { formatHostPlan, planHost } from '../../host/plan-host.ts'
import type { Coprocess } from '../../host/processes.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'

export const VARIANTS: readonly IptablesVariant[] = ['nft', 'legacy']

export interface KernelHost {
  readonly netns: Netns
  readonly variant: IptablesVariant
  readonly host: Host
  /** The `ip -batch` processes started so far. */
  readonly batches: readonly Coprocess[]
  /**
   * What the host reads and writes as `net.ipv4.ip_forward`. A file: this process sees the sysctls of its own namespace
   * only. The namespace itself forwards from the start.
   */
  forwarding: boolean
  /** Observes, plans and carries out. Gives the plan as text. */
  bringTo(wanted: HostState): Promise<string>
  /** Input for `iptables-restore --noflush` of the variant. */
  restore(text: string, family?: 4 | 6): Promise<void>
  /** Links, addresses, policy rules, routes and rules of both families and variants, as the tools print them. */
  show(): Promise<string>
}

/** It is closed with the set. */
export async function openKernelHost(
  set: NetnsSet,
  variant: IptablesVariant,
  role = 'host',
): Promise<KernelHost> {
  const netns = await set.make(`${role}-${variant}`)
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  await netns.run({ file: 'sysctl', args: ['-qw', ...forwarding] })
  const sysNetPath = mkdtempSync(join(tmpdir(), 'romana-sysctl-'))
  set.defer(() => rmSync(sysNetPath, { recursive: true }))
  for (const path of ['ipv4', 'ipv6/conf/all', 'ipv6/conf/default'])
    await mkdir(join(sysNetPath, path), { recursive: true })
  writeFileSync(join(sysNetPath, FORWARDING6.path), '1\n')
  writeFileSync(join(sysNetPath, 'ipv6/conf/default/disable_ipv6'), '0\n')
  const forwardPath = join(sysNetPath, 'ipv4/ip_forward')
  writeFileSync(forwardPath, '1\n')
  const batches: Coprocess[] = []
  const start = (file: string, args: readonly string[]) => {
    const batch = netns.start(file, args)
    batches.push(batch)
    return batch
  }
  const host = openLinuxHost({
    run: netns.run,
    fastBatch: openIpBatch(start),
    slowBatch: openIpBatch(start),
    iptables: await findIptables(netns.run),
    sysNetPath,
    resolverFiles: { etc: '/nowhere', run: '/nowhere', mounted: '/nowhere' },
    setSysctl: makeSetSysctl(sysNetPath),
  })
  set.defer(() => host.close())
  return {
    netns,
    variant,
    host,
    batches,
    get forwarding() {
      return readFileSync(forwardPath, 'utf8').trim() === '1'
    },
    set forwarding(on) {
      writeFileSync(forwardPath, on ? '1\n' : '0\n')
    },
    async bringTo(wanted) {
      const plan = planHost({ ...wanted, iptables: variant }, await host.observe())
      await host.apply(plan)
      return formatHostPlan(plan)
    },
    async restore(text, family = 4) {
      const file = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}-restore`
      await netns.run({ file, args: ['--noflush', '--wait', '5'], input: text })
    },
    show: () => showKernel(netns),
  }
}

const SHOWN: readonly (readonly [command: string, input: string])[] = [
  ['ip -oneline -batch -', 'link show\naddress show\n'],
  ['ip -4 -batch -', 'rule show\nroute show table all\n'],
  ['ip -6 -batch -', 'rule show\nroute show table all\n'],
  ['iptables-nft-save', ''],
  ['ip6tables-nft-save', ''],
  ['iptables-legacy-save', ''],
  ['ip6tables-legacy-save', ''],
  ['nft --stateless list ruleset', ''],
]

async function showKernel({ run }: Netns): Promise<string> {
  const texts = SHOWN.map(async ([command, input]) => {
    const [file = '', ...args] = command.split(' ')
    return `# ${command}\n${withoutChatter(await run({ file, args, input }))}`
  })
  return (await Promise.all(texts)).join('\n')
}

/** Without the times of iptables-save, and without counters. */
function withoutChatter(text: string): string {
  return text
    .replaceAll(/^#.*\n?/gm, '')
    .replaceAll(/ \[\d+:\d+\]$/gm, '')
    .replaceAll(/counter packets \d+ bytes \d+ ?/g, '')
}
