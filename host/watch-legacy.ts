/** iptables-legacy tells nobody of a change, so its rules are read every now and then. */
import type { SeenTable } from './host-state.ts'
import type { IptablesProgram } from './iptables-variant.ts'
import { observeRules } from './observe.ts'
import { planFirewall, type WantedRules } from './plan-firewall.ts'
import type { RunCommand } from './processes.ts'

/** Milliseconds from one reading to the next. Rules that are gone shall be back within 2 s. */
const READING_MS = 1_000

const PROGRAMS: readonly IptablesProgram[] = [
  { variant: 'legacy', family: 4 },
  { variant: 'legacy', family: 6 },
]

export interface LegacyWatchParts {
  readonly run: RunCommand
  /** The rules as they shall be now. */
  readonly wanted: () => WantedRules
  /** Told when the rules are not so, or cannot be read: a look at the host will say why. */
  readonly onChange: (what: string) => void
}

export interface LegacyWatch {
  close(): void
}

/** Not against the reading before: what is put back and taken again in between would look the same. */
export function watchLegacy({ run, wanted, onChange }: LegacyWatchParts): LegacyWatch {
  let timer = setTimeout(read, READING_MS)
  let closed = false
  async function read(): Promise<void> {
    const firewall = await readTables(run)
    if (closed) return
    const { forwarding, forwarding6 } = wanted()
    if (firewall === undefined || planFirewall(wanted(), { firewall, forwarding, forwarding6 }).length > 0)
      onChange('rules of iptables-legacy')
    timer = setTimeout(read, READING_MS)
  }
  return {
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

async function readTables(run: RunCommand): Promise<SeenTable[] | undefined> {
  try {
    return (await Promise.all(PROGRAMS.map((program) => observeRules(run, program)))).flat()
  } catch {
    return undefined
  }
}
