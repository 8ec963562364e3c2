/** Wanted chains against seen ones: input for `iptables-restore --noflush`. Pure. */
import type { FirewallTable, HostState, ObservedHost, SeenTable } from './host-state.ts'
import { IPTABLES_VARIANTS, type IptablesProgram, type IptablesVariant } from './iptables-variant.ts'
import { CHAIN_PREFIX, PERSONS_CHAIN } from './marks.ts'

/** At the end of a rule: before it a comment may say anything. */
const JUMP_TO_OURS = new RegExp(`(^| )-[jg] ${CHAIN_PREFIX}\\S+$`)

/** What the rules of a host follow from. */
export type WantedRules = Pick<
  HostState,
  'firewall' | 'iptables' | 'forwarding' | 'forwarding6' | 'forwardClosed'
>
export type SeenRules = Pick<ObservedHost, 'firewall' | 'forwarding' | 'forwarding6'>

/** Input of one `iptables-restore --noflush`. */
export interface RestoreText {
  readonly program: IptablesProgram
  readonly text: string
}

/**
 * Whole chains, never single rules: declaring a chain under --noflush empties and refills it and leaves others alone,
 * and a table is replaced in one step. The one rule of ours outside our chains is the jump at the head of a built-in
 * chain. The other variant of iptables keeps nothing of ours; it comes last, so that there is no moment without rules.
 */
export function planFirewall(wanted: WantedRules, seen: SeenRules): RestoreText[] {
  return programsOf(wanted.iptables).flatMap((program) => {
    const text = tableNames(wanted, seen, program)
      .map((name) => {
        const table = wantedTable(wanted, program, name)
        const policies = table?.table === 'filter' ? closeForward(wanted, seen, program) : []
        return planTable(table, seenTable(seen, program, name), policies)
      })
      .join('')
    return text === '' ? [] : [{ program, text }]
  })
}

function programsOf(chosen: IptablesVariant): IptablesProgram[] {
  const others = IPTABLES_VARIANTS.filter((variant) => variant !== chosen)
  return [chosen, ...others].flatMap((variant): IptablesProgram[] => [
    { variant, family: 4 },
    { variant, family: 6 },
  ])
}

/**
 * A host that forwarded nothing before us must not become a router for everybody, and one that was closed stays so: what no rule
 * accepts is dropped.
 */
function closeForward(wanted: WantedRules, seen: SeenRules, program: IptablesProgram): string[] {
  const { family } = program
  const isSwitched =
    family === 4 ? wanted.forwarding && !seen.forwarding : wanted.forwarding6 && seen.forwarding6 !== true
  const isClosed = seenTable(seen, program, 'filter')?.closed.has('FORWARD') ?? false
  const isOpened = wanted.forwardClosed.includes(family) && !isClosed
  return isSwitched || isOpened ? [':FORWARD DROP [0:0]'] : []
}

function tableNames(wanted: WantedRules, seen: SeenRules, { variant, family }: IptablesProgram): string[] {
  const ofFamily = [
    ...(variant === wanted.iptables ? wanted.firewall : []),
    ...seen.firewall.filter((table) => table.variant === variant),
  ].filter((table) => table.family === family)
  return [...new Set(ofFamily.map(({ table }) => table))].sort()
}

function wantedTable(
  { iptables, firewall }: WantedRules,
  { variant, family }: IptablesProgram,
  name: string,
): FirewallTable | undefined {
  if (variant !== iptables) return undefined
  return firewall.find((table) => table.family === family && table.table === name)
}

function seenTable(
  { firewall }: SeenRules,
  { variant, family }: IptablesProgram,
  name: string,
): SeenTable | undefined {
  return firewall.find(
    (table) => table.variant === variant && table.family === family && table.table === name,
  )
}

function planTable(
  wanted: FirewallTable | undefined,
  seen: SeenTable | undefined,
  policies: readonly string[],
): string {
  const name = wanted?.table ?? seen?.table ?? ''
  const chains = wanted?.chains ?? []
  const stale = ownChains(seen).filter((chain) => chains.every((kept) => kept.name !== chain))
  const changed = chains.filter(({ name: chain, rules }) => !sameRules(rules, seen?.chains.get(chain)))
  const jumps = planJumps(wanted, seen)
  const lines = [
    ...policies,
    ...[...changed.map((chain) => chain.name), ...stale].map((chain) => `:${chain} - [0:0]`),
    ...changed.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`)),
    ...jumps,
    ...stale.map((chain) => `-X ${chain}`),
  ]
  return lines.length === 0 ? '' : `*${name}\n${lines.join('\n')}\nCOMMIT\n`
}

function ownChains(seen: SeenTable | undefined): string[] {
  return seen === undefined ? [] : [...seen.chains.keys()].filter((chain) => chain.startsWith(CHAIN_PREFIX))
}

function sameRules(wanted: readonly string[], seen: readonly string[] | undefined): boolean {
  return (
    seen !== undefined && wanted.length === seen.length && wanted.every((rule, index) => rule === seen[index])
  )
}

/**
 * Our jump belongs at the head, once, behind DOCKER-USER only: that chain is the person's, and Docker keeps it first
 * too. Elsewhere or twice, or to a chain that goes: away with it first.
 */
function planJumps(wanted: FirewallTable | undefined, seen: SeenTable | undefined): string[] {
  const lines: string[] = []
  for (const [chain, rules] of seen?.chains ?? []) {
    if (chain.startsWith(CHAIN_PREFIX)) continue
    const jump = wanted?.jumps.find(({ from }) => from === chain)
    const ours = rules.filter((rule) => JUMP_TO_OURS.test(rule))
    const place = headOf(rules.filter((rule) => !ours.includes(rule)))
    const isRight = jump !== undefined && ours.length === 1 && rules[place] === `-j ${jump.to}`
    if (!isRight) lines.push(...ours.map((rule) => `-D ${chain} ${rule}`))
    if (!isRight && jump !== undefined) lines.push(`-I ${chain} ${place + 1} -j ${jump.to}`)
  }
  const unseen = (wanted?.jumps ?? []).filter(({ from }) => seen?.chains.has(from) !== true)
  return [...lines, ...unseen.map(({ from, to }) => `-I ${from} 1 -j ${to}`)]
}

/** The index of the first rule that is not the jump to the person's own chain. */
function headOf(rules: readonly string[]): number {
  const index = rules.findIndex((rule) => rule !== `-j ${PERSONS_CHAIN}`)
  return index === -1 ? rules.length : index
}
