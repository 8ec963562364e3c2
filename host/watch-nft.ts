/**
 * What `nft -j monitor` tells: what others may have done to our rules, and the rest. JSON, because only there a deleted rule
 * comes with its text. The engine's rules for a bridge container are the rest. Pure.
 */
import * as v from 'valibot'
import { CHAIN_PREFIX, PERSONS_CHAIN } from './marks.ts'

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

const Jump = v.object({ jump: v.object({ target: v.string() }) })

/**
 * Chains at whose head our jumps are. To replace a rule, or to add one behind another, is told as if it were appended
 * (net/netfilter/nf_tables_api.c, nf_tables_rule_notify), so each change counts.
 */
const QUIET_HEADS = ['filter FORWARD', 'filter INPUT', 'nat PREROUTING', 'nat OUTPUT']
/**
 * The same, but here the engine appends and deletes while bridge containers come and go. What may stand before our jump is the
 * person's own chain only, so that nothing gets there unseen: by an insert, or in the place of such a jump.
 */
const BUSY_HEADS = ['raw PREROUTING', 'nat POSTROUTING']

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

function concernsUs(verb: string, { table, chain, expr }: Rule): boolean {
  if (chain.startsWith(CHAIN_PREFIX)) return true
  const targets = expr.flatMap((part) => (v.is(Jump, part) ? part.jump.target : []))
  const jumpsToOurs = targets.some((target) => target.startsWith(CHAIN_PREFIX))
  // We put it there ourselves.
  if (verb === 'insert' && jumpsToOurs) return false
  if (QUIET_HEADS.includes(`${table} ${chain}`) || jumpsToOurs) return true
  if (!BUSY_HEADS.includes(`${table} ${chain}`)) return false
  return verb === 'insert' || (verb === 'delete' && targets.includes(PERSONS_CHAIN))
}
