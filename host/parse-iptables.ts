/** What `iptables-save` prints, as typed values. Pure. */
import type { SeenTable } from './host-state.ts'
import type { IptablesProgram } from './iptables-variant.ts'

/** Tables with the rules of each chain, in order; counters and comments are left out. */
export function parseIptablesSave(text: string, { variant, family }: IptablesProgram): SeenTable[] {
  const tables: (Omit<SeenTable, 'chains'> & { readonly chains: Map<string, string[]> })[] = []
  for (const line of text.split('\n')) {
    const [, kind, name, rest = ''] = /^(\*|:|-A )(\S+)(?: (.*))?$/.exec(line) ?? []
    if (name === undefined) continue
    if (kind === '*') tables.push({ variant, family, table: name, chains: new Map() })
    const chains = tables.at(-1)?.chains
    if (kind === ':') chains?.set(name, [])
    if (kind === '-A ') chains?.get(name)?.push(rest)
  }
  return tables
}
