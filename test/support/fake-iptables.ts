/**
 * The rules of a kernel that does not exist, changed by input of `iptables-restore --noflush`. Strict: it refuses what
 * iptables would refuse, and throws on what it does not know. A table is changed whole or not at all.
 */

interface FakeChain {
  /** Of built-in chains only. */
  policy?: string
  rules: string[]
}

type FakeTable = Map<string, FakeChain>

/** Tables that have been used, by name: iptables makes a table at first use. */
export type FakeTables = Map<string, FakeTable>

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}
const TARGETS = ['ACCEPT', 'DROP', 'RETURN', 'MASQUERADE', 'DNAT', 'SNAT', 'TCPMSS']
/** Options of a rule and how many words follow each. */
const OPTIONS: Readonly<Record<string, number>> = {
  '!': 0,
  '-s': 1,
  '-d': 1,
  '-i': 1,
  '-o': 1,
  '-p': 1,
  '-m': 1,
  '-j': 1,
  '-g': 1,
  '--invert': 0,
  '--bytecode': 1,
  '--ctstate': 1,
  '--ctorigsrc': 1,
  '--ctreplsrc': 1,
  '--ctorigdst': 1,
  '--ctorigdstport': 1,
  '--ctdir': 1,
  '--icmp-type': 1,
  '--icmpv6-type': 1,
  '--dport': 1,
  '--comment': 1,
  '--match-set': 2,
  '--mac-source': 1,
  '--dst-type': 1,
  '--tcp-flags': 2,
  '--clamp-mss-to-pmtu': 0,
  '--to-destination': 1,
  '--to-source': 1,
}

/** @throws Error in the words of iptables-restore, or when the text is not of the language; then its table is as before. */
export function restoreTables(tables: FakeTables, text: string): void {
  const sections = text.split(/^COMMIT\n/m)
  if (sections.pop() !== '') throw new Error('iptables-restore: COMMIT expected at the end')
  for (const section of sections) {
    const [head = '', ...lines] = section.trimEnd().split('\n')
    const name = head.slice(1)
    const draft = structuredClone(tables.get(name)) ?? newTable(head)
    for (const line of lines) runRestoreLine(draft, line)
    checkTargets(draft)
    tables.set(name, draft)
  }
}

function newTable(head: string): FakeTable {
  const builtIn = BUILT_IN[head.slice(1)]
  if (!head.startsWith('*') || builtIn === undefined)
    throw new Error(`The fake kernel does not know the table "${head}"`)
  return new Map(builtIn.map((chain) => [chain, { policy: 'ACCEPT', rules: [] }]))
}

function runRestoreLine(table: FakeTable, line: string): void {
  const match = /^(?:(?<verb>-[AIDX]) |:)(?<chain>\S+)(?: (?<rest>.+))?$/.exec(line)
  const { verb = ':', chain = '', rest = '' } = match?.groups ?? {}
  if (match === null) throw new Error(`The fake kernel does not know the line "${line}"`)
  if (verb === ':') declareChain(table, chain, rest)
  else if (verb === '-X') deleteChain(table, chain, line)
  else changeRules(findChain(table, chain, line), verb, rest, line)
}

/** A chain of a user is made, or emptied; of a built-in one only the policy is set. */
function declareChain(table: FakeTable, name: string, rest: string): void {
  const [, policy] = /^(-|ACCEPT|DROP) \[0:0\]$/.exec(rest) ?? []
  const present = table.get(name)
  const builtIn = present?.policy !== undefined
  if (policy === undefined || builtIn !== (policy !== '-'))
    throw new Error(`iptables-restore: bad policy ":${name} ${rest}"`)
  if (builtIn) present.policy = policy
  else table.set(name, { rules: [] })
}

function deleteChain(table: FakeTable, name: string, line: string): void {
  const chain = findChain(table, name, line)
  const isUsed = [...table.values()].some(({ rules }) => rules.some((rule) => targetOf(rule) === name))
  if (isUsed || chain.rules.length > 0 || chain.policy !== undefined)
    throw new Error(`iptables-restore: "${line}": Device or resource busy`)
  table.delete(name)
}

function changeRules({ rules }: FakeChain, verb: string, rest: string, line: string): void {
  if (verb === '-A') rules.push(checkRule(rest, line))
  if (verb === '-I') insertRule(rules, rest, line)
  if (verb === '-D') removeRule(rules, rest, line)
}

function insertRule(rules: string[], rest: string, line: string): void {
  const [, place, rule = ''] = /^(\d+) (.+)$/.exec(rest) ?? []
  const index = Number(place) - 1
  if (!(index >= 0 && index <= rules.length))
    throw new Error(`iptables-restore: "${line}": Index of insertion too big`)
  rules.splice(index, 0, checkRule(rule, line))
}

function removeRule(rules: string[], rest: string, line: string): void {
  const index = rules.indexOf(rest)
  if (index < 0)
    throw new Error(`iptables-restore: "${line}": Bad rule (does a matching rule exist in that chain?)`)
  rules.splice(index, 1)
}

function findChain(table: FakeTable, name: string, line: string): FakeChain {
  const chain = table.get(name)
  if (chain === undefined) throw new Error(`iptables-restore: "${line}": No chain/target/match by that name`)
  return chain
}

function checkRule(rule: string, line: string): string {
  const words = rule.match(/"[^"]*"|\S+/g) ?? []
  for (let index = 0; index < words.length; index++) {
    const operands = OPTIONS[words[index] ?? '']
    if (operands === undefined)
      throw new Error(`The fake kernel does not know "${words[index]}" in "${line}"`)
    index += operands
  }
  return rule
}

function checkTargets(table: FakeTable): void {
  for (const rule of [...table.values()].flatMap(({ rules }) => rules)) {
    const target = targetOf(rule)
    if (target !== undefined && !TARGETS.includes(target) && !table.has(target))
      throw new Error(`iptables-restore: "${rule}": No chain/target/match by that name`)
  }
}

function targetOf(rule: string): string | undefined {
  return / ?-[jg] (\S+)(?: --to-(?:destination|source) \S+| --clamp-mss-to-pmtu)?$/.exec(rule)?.[1]
}

/** Chains and rules, one a line, as `iptables -S` prints them; policies only where they are not ACCEPT. */
export function showTables(tables: FakeTables, program: string): string[] {
  const names = [...tables.keys()].sort()
  return names.flatMap((name) =>
    [...(tables.get(name) ?? [])]
      .sort(([a], [b]) => a.localeCompare(b))
      .flatMap(([chain, content]) => showChain(chain, content))
      .map((line) => `${program} -t ${name} ${line}`),
  )
}

function showChain(name: string, { policy, rules }: FakeChain): string[] {
  const ofUser = policy === undefined ? [`-N ${name}`] : []
  const closed = policy === undefined || policy === 'ACCEPT' ? [] : [`-P ${name} ${policy}`]
  return [...ofUser, ...closed, ...rules.map((rule) => `-A ${name} ${rule}`)]
}
