/** How rules can tell on this kernel that two addresses are of one segment. */
import type { ObservedHost } from './host-state.ts'
import type { IptablesVariant } from './iptables-variant.ts'
import { CHAIN_PREFIX } from './marks.ts'
import type { RunCommand } from './processes.ts'
import { restoreRules } from './restore-rules.ts'
import type { SegmentMatch } from './segment-rules.ts'

/** The setting: `auto` asks the kernel. */
export type SegmentMatchSetting = SegmentMatch | 'auto'

/** @throws RomanaError E_COMMAND when iptables works with no rule at all */
export type FindSegmentMatch = (
  variant: IptablesVariant,
  seen: Pick<ObservedHost, 'firewall'>,
) => Promise<SegmentMatch>

export interface SegmentMatchParts {
  readonly run: RunCommand
  readonly setting: SegmentMatchSetting
  /** Told once for each variant of iptables, before the first rule. */
  readonly onFound: (match: SegmentMatch) => void
}

/** Kept for as long as the plugin runs: nothing is tried when a container starts. */
export function makeFindSegmentMatch({ run, setting, onFound }: SegmentMatchParts): FindSegmentMatch {
  const known = new Map<IptablesVariant, Promise<SegmentMatch>>()
  const find: FindSegmentMatch = async (variant, seen) => {
    const match = setting === 'auto' ? await askKernel(run, variant, seen) : setting
    onFound(match)
    return match
  }
  return (variant, seen) => {
    const before = known.get(variant)
    if (before !== undefined) return before
    const match = find(variant, seen)
    known.set(variant, match)
    match.catch(() => known.delete(variant))
    return match
  }
}

/** What the kernel carries it can do. */
async function askKernel(
  run: RunCommand,
  variant: IptablesVariant,
  seen: Pick<ObservedHost, 'firewall'>,
): Promise<SegmentMatch> {
  return hasBpfRule(variant, seen) ? 'bpf' : await tryBpf(run, variant)
}

function hasBpfRule(variant: IptablesVariant, { firewall }: Pick<ObservedHost, 'firewall'>): boolean {
  return firewall.some(
    (table) =>
      table.variant === variant &&
      [...table.chains].some(
        ([chain, rules]) => chain.startsWith(CHAIN_PREFIX) && rules.some((rule) => rule.includes(' -m bpf ')),
      ),
  )
}

/** Nothing leads to this chain. One that is left over goes with the next look at the host. */
const TRIED = `${CHAIN_PREFIX}TRY`

/**
 * The kernel loads the match when a rule with it is committed, and whether it can is known only then: a chain is made with such a
 * rule, and goes again.
 */
async function tryBpf(run: RunCommand, variant: IptablesVariant): Promise<SegmentMatch> {
  const restore = (line: string) =>
    restoreRules(run, {
      program: { variant, family: 4 },
      text: `*filter\n:${TRIED} - [0:0]\n${line}COMMIT\n`,
    })
  // An iptables that can do nothing says nothing of one match.
  await restore('')
  try {
    await restore(`-A ${TRIED} -m bpf --bytecode "1,6 0 0 0" -j RETURN\n`)
    return 'bpf'
  } catch {
    return 'masks'
  } finally {
    await restore(`-X ${TRIED}\n`).catch(() => undefined)
  }
}
