/**
 * What `nft -j monitor` tells: what others may have done to our rules, and the rest. JSON, because only there a deleted rule
 * comes with its text. The engine's rules for a bridge container are the rest: it deletes its own and appends. Pure.
 */
import * as v from 'valibot'
import { CHAIN_PREFIX } from './marks.ts'

/** The program and its arguments. */
export const NFT_MONITOR = { file: 'nft', args: ['-j', 'monitor'] } as const

/** Where iptables-nft keeps its rules, as far as some are ours. */
const place = { family: v.picklist(['ip', 'ip6']), table: v.picklist(['raw', 'filter', 'nat']) }
const Rule = v.object({ ...place, chain: v.string(), expr: v.optional(v.array(v.unknown()), []) })
const Chain = v.object({ ...place, name: v.string(), policy: v.optional(v.string()) })
const Event = v.pipe(
  v.string(),
  v.parseJson(),
  v.record(v.string(), v.object({ rule: v.optional(Rule), chain: v.optional(Chain) })),
)
type Rule = v.InferOutput<typeof Rule>

const JumpToOurs = v.object({ jump: v.object({ target: v.pipe(v.string(), v.startsWith(CHAIN_PREFIX)) }) })

/** Chains at whose head our jumps are. */
const HEADS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']

/** What calls for a look at the host, in words for the log. Undefined: the line does not concern us. */
export function readNftEvent(line: string): string | undefined {
  // Lost events, above all: "# ERROR: We lost some netlink events!" (nftables, src/monitor.c).
  if (!line.startsWith('{')) return line.trim() === '' ? undefined : line
  // Elements of sets can come in thousands.
  if (!/^\{"\w+": \{"(rule|chain)": /.test(line)) return undefined
  const event = v.safeParse(Event, line)
  const [verb, { rule, chain } = {}] = event.success ? (Object.entries(event.output)[0] ?? []) : []
  if (verb === undefined) return undefined
  if (rule !== undefined && concernsUs(verb, rule))
    return `${verb} rule ${rule.family} ${rule.table} ${rule.chain}`
  const isOpened = chain?.name === 'FORWARD' && chain.policy === 'accept'
  if (chain !== undefined && (isOpened || chain.name.startsWith(CHAIN_PREFIX)))
    return `${verb} chain ${chain.family} ${chain.table} ${chain.name}`
  return undefined
}

function concernsUs(verb: string, { chain, expr }: Rule): boolean {
  if (chain.startsWith(CHAIN_PREFIX)) return true
  const jumpsToOurs = expr.some((part) => v.is(JumpToOurs, part))
  if (verb === 'delete') return jumpsToOurs
  return verb === 'insert' && HEADS.includes(chain) && !jumpsToOurs
}
