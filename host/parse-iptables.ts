/** What `iptables-save` prints, as typed values. Pure. */
import type { Family } from '../address/ip.ts'
import type { SeenTable } from './host-state.ts'

/** Tables with the rules of each chain, in order; counters and comments are left out. */
export function parseIptablesSave(text: string, family: Family): SeenTable[] {
  const tables: { family: Family; table: string; chains: Map<string, string[]> }[] = []
  for (const line of text.split('\n')) {
    const [, kind, name, rest = ''] = /^(\*|:|-A )(\S+)(?: (.*))?$/.exec(line) ?? []
    if (name === undefined) continue
    if (kind === '*') tables.push({ family, table: name, chains: new Map() })
    const chains = tables.at(-1)?.chains
    if (kind === ':') chains?.set(name, [])
    if (kind === '-A ') chains?.get(name)?.push(rest)
  }
  return tables
}
