/**
 * A kernel for tests that need none: its state changes only by the text that `ip` and `iptables-restore` would read, and
 * is shown as text. Making and removing endpoints and carrying out plans is the real code of `host/linux-host.ts`.
 */
import type { Family } from '../../address/ip.ts'
import { FORWARDING, formatSysctl } from '../../host/host-files.ts'
import type { IpBatch } from '../../host/ip-batch.ts'
import { type Host, openLinuxHost } from '../../host/linux-host.ts'
import { commandError, type RunCommand } from '../../host/processes.ts'
import { isMeant } from './conntrack-filter.ts'
import { IpRefusal, runIpLine } from './fake-ip.ts'
import { dropLink, emptyIpState, type FakeLink, showIpState } from './fake-ip-state.ts'
import { type FakeTables, restoreTables, showTables } from './fake-iptables.ts'
import { observeFake } from './fake-observation.ts'

/** What can be told to fail. */
export type FakeProgram = 'observe' | 'ip' | 'iptables-restore'

export interface FakeKernel {
  /** What the code under test gets. */
  readonly host: Host
  /** The same for a process that may be killed: asked before each line and table, and what it throws ends all. */
  openHost(mayGoOn: () => void): Host
  /** All objects of the kernel, one a line, sorted; "" for a kernel that nobody has touched. */
  show(): string
  /** Another program changes links, addresses, routes and rules. @throws Error */
  ip(...lines: readonly string[]): void
  /** Another program changes a table. @throws Error */
  iptablesRestore(family: Family, text: string): void
  /** Lines of `conntrack -L`: what the kernel lets pass because it knows it. */
  readonly flows: string[]
  /** Another program switches `net.ipv4.ip_forward`. */
  setForwarding(on: boolean): void
  /** The engine moves a container's link into its sandbox. */
  enterContainer(containerLink: string): void
  /** The engine moves it back under its name, as it does after Leave. */
  leaveContainer(containerLink: string): void
  /** A sandbox ends with the link in it: the pair is gone. */
  killContainer(containerLink: string): void
  /** What `conntrack` was told, a line each. */
  readonly forgotten: readonly string[]
  /** The next use of the program fails once: `ip` and `iptables-restore` after so many lines or tables have been carried out. */
  failNext(program: FakeProgram, after?: number): void
}

export function makeFakeKernel(): FakeKernel {
  const kernel = new Kernel()
  const { ipState } = kernel
  return {
    host: openFakeHost(kernel, () => undefined),
    openHost: (mayGoOn) => openFakeHost(kernel, mayGoOn),
    show: () => kernel.show(),
    forgotten: kernel.forgotten,
    flows: kernel.flows,
    ip: (...lines) => {
      for (const line of lines) runIpLine(ipState, line)
    },
    iptablesRestore: (family, text) => restoreTables(kernel.tables[family], text),
    setForwarding: (on) => {
      if (on) kernel.sysctls.add(formatSysctl(FORWARDING))
      else kernel.sysctls.delete(formatSysctl(FORWARDING))
    },
    enterContainer: (name) => moveLink(ipState.links, ipState.elsewhere, name),
    leaveContainer: (name) => moveLink(ipState.elsewhere, ipState.links, name),
    killContainer: (name) => dropLink(ipState, linkOf(ipState.elsewhere, name)),
    failNext: (program, after = 0) => kernel.failures.set(program, after),
  }
}

class Kernel {
  readonly ipState = emptyIpState()
  readonly tables: Readonly<Record<Family, FakeTables>> = { 4: new Map(), 6: new Map() }
  /** What `conntrack` was told, a line each. */
  readonly forgotten: string[] = []
  /** How many more uses of the program go well before one fails. */
  readonly failures = new Map<FakeProgram, number>()
  readonly sysctls = new Set<string>()
  readonly sets = new Map<string, string[]>()
  /** Lines of `conntrack -L`. */
  readonly flows: string[] = []

  show(): string {
    return [
      ...showIpState(this.ipState),
      ...showTables(this.tables[4], 'iptables'),
      ...showTables(this.tables[6], 'ip6tables'),
      ...[...this.sets].map(([name, members]) => `ipset ${name} ${members.join(' ')}`.trimEnd()).sort(),
      ...[...this.sysctls].sort(),
    ].join('\n')
  }

  /** Whether this use of the program is the one that shall fail. */
  isToFail(program: FakeProgram): boolean {
    const left = this.failures.get(program)
    if (left === undefined) return false
    if (left > 0) this.failures.set(program, left - 1)
    else this.failures.delete(program)
    return left === 0
  }
}

/** The kernel, and whether who changes it may go on. */
interface User {
  readonly kernel: Kernel
  readonly mayGoOn: () => void
}

function openFakeHost(kernel: Kernel, mayGoOn: () => void): Host {
  const user = { kernel, mayGoOn }
  const batch = fakeBatch(user)
  const linux = openLinuxHost({
    run: fakeRun(user),
    fastBatch: batch,
    slowBatch: batch,
    iptables: [],
    sysNetPath: '/nowhere',
    resolverFiles: { etc: '/nowhere', run: '/nowhere', mounted: '/nowhere' },
    // Those of a plan are carried out below; those of a link go with it, and nobody looks at them.
    setSysctl: () => Promise.resolve(),
  })
  return {
    ...linux,
    async observe() {
      await undefined
      if (kernel.isToFail('observe')) throw commandError('ip -json link show', 'Operation not permitted')
      return observeFake(kernel)
    },
    async apply(plan) {
      await linux.apply({ ...plan, sysctls: [] })
      for (const sysctl of plan.sysctls) {
        mayGoOn()
        kernel.sysctls.add(formatSysctl(sysctl))
      }
    },
  }
}

/** `ip -force -batch -`: goes on behind a failed line and tells the first failure. */
function fakeBatch(user: User): IpBatch {
  return {
    async run(lines) {
      await undefined
      const failures = lines.flatMap((line) => {
        const refusal = refusalOf(user, line)
        return refusal === undefined ? [] : [commandError(`ip ${line}`, refusal.message)]
      })
      if (failures[0] !== undefined) throw failures[0]
    },
    close: () => undefined,
  }
}

function fakeRun(user: User): RunCommand {
  const { kernel } = user
  return async ({ file, args, input = '' }) => {
    await undefined
    const command = `${file} ${args.join(' ')}`
    if (command === 'ip -batch -') runBatch(user, input, 4)
    else if (command === 'ip -6 -batch -') runBatch(user, input, 6)
    else if (command.startsWith('conntrack -L ')) return listFlows(kernel, args.slice(1))
    else if (file === 'conntrack' && !args.includes('--orig-port-dst')) forgetFlows(kernel, args.slice(1))
    else if (command === 'ipset restore') restoreSet(user, input)
    else if (command === 'iptables-nft-restore --noflush --wait 5') restore(user, 4, input)
    else if (command === 'ip6tables-nft-restore --noflush --wait 5') restore(user, 6, input)
    else if (file === 'conntrack') kernel.forgotten.push(args.join(' '))
    else throw new Error(`The fake kernel does not know the command "${command}"`)
    return ''
  }
}

/** `conntrack -L`. No flow is translated here. */
function listFlows(kernel: Kernel, args: readonly string[]): string {
  return args.includes('--dst-nat') ? '' : kernel.flows.filter((flow) => isMeant(flow, args)).join('\n')
}

/** `conntrack -D`. */
function forgetFlows(kernel: Kernel, args: readonly string[]): void {
  const left = kernel.flows.filter((flow) => !isMeant(flow, args))
  if (left.length === kernel.flows.length)
    throw commandError('conntrack -D', '0 flow entries have been deleted')
  kernel.flows.splice(0, kernel.flows.length, ...left)
}

/** `ipset restore`: strict about what is there already, as ipset is. */
function restoreSet({ kernel, mayGoOn }: User, input: string): void {
  for (const line of input.trimEnd().split('\n')) {
    mayGoOn()
    const [verb, name = '', member = ''] = line.split(' ')
    const members = kernel.sets.get(name)
    if (/^create ROMANA-HOSTS(6?) hash:ip family inet\1$/.test(line) && members === undefined)
      kernel.sets.set(name, [])
    else if (verb === 'destroy' && members !== undefined) kernel.sets.delete(name)
    else if (verb === 'add' && members?.includes(member) === false)
      kernel.sets.set(name, [...members, member].sort())
    else if (verb === 'del' && members?.includes(member) === true)
      kernel.sets.set(
        name,
        members.filter((present) => present !== member),
      )
    else throw commandError('ipset restore', `The fake kernel refuses the line "${line}"`)
  }
}

/** `ip -batch -`: ends at the first failed line. */
function runBatch(user: User, input: string, family: Family): void {
  for (const [index, line] of input.trimEnd().split('\n').entries()) {
    const isOther = line.startsWith('rule ') && line.includes(':') !== (family === 6)
    const refusal = isOther ? new IpRefusal('Error: Invalid dst address.') : refusalOf(user, line)
    if (refusal !== undefined)
      throw commandError('ip -batch -', `${refusal.message}\nCommand failed -:${index + 1}`)
  }
}

function refusalOf({ kernel, mayGoOn }: User, line: string): IpRefusal | undefined {
  mayGoOn()
  try {
    if (kernel.isToFail('ip')) return new IpRefusal('RTNETLINK answers: Operation not permitted')
    runIpLine(kernel.ipState, line)
    return undefined
  } catch (refusal) {
    if (refusal instanceof IpRefusal) return refusal
    throw refusal
  }
}

/** Table by table, as iptables-restore commits them. */
function restore({ kernel, mayGoOn }: User, family: Family, input: string): void {
  for (const text of input.split(/(?<=^COMMIT\n)/m)) {
    mayGoOn()
    if (kernel.isToFail('iptables-restore'))
      throw commandError('iptables-restore', 'Another app is currently holding the xtables lock')
    restoreTables(kernel.tables[family], text)
  }
}

function moveLink(from: Map<string, FakeLink>, to: Map<string, FakeLink>, name: string): void {
  const link = linkOf(from, name)
  from.delete(name)
  to.set(name, link)
}

function linkOf(links: ReadonlyMap<string, FakeLink>, name: string): FakeLink {
  const link = links.get(name)
  if (link === undefined) throw new Error(`The fake kernel has no link "${name}" there`)
  return link
}
