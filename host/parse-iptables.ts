/** What `iptables-save` prints, as typed values. Pure. */
import type { SeenTable } from './host-state.ts'
import type { IptablesProgram } from './iptables-variant.ts'

interface ParsedTable extends SeenTable {
  readonly chains: Map<string, string[]>
  readonly closed: Set<string>
}

/** Tables with the rules of each chain, in order; counters and comments are left out. */
export function parseIptablesSave(text: string, { variant, family }: IptablesProgram): SeenTable[] {
  const tables: ParsedTable[] = []
  for (const line of text.split('\n')) {
    const [, kind, name, rest = ''] = /^(\*|:|-A )(\S+)(?: (.*))?$/.exec(line) ?? []
    if (name === undefined) continue
    if (kind === '*') tables.push({ variant, family, table: name, chains: new Map(), closed: new Set() })
    const { chains, closed } = tables.at(-1) ?? {}
    if (kind === ':') chains?.set(name, [])
    if (kind === ':' && rest.startsWith('DROP ')) closed?.add(name)
    if (kind === '-A ') chains?.get(name)?.push(rest)
  }
  return tables
}
