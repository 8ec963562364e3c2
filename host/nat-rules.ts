/** Which address what leaves the plan gets: rules of the chain ROMANA-POSTROUTING, and how they are read again. Pure. */
import { Cidr } from '../address/cidr.ts'
import { ANY_ENDPOINT, HOST_SETS } from './marks.ts'
import type { SourceChoice } from './source-choice.ts'

/** What these rules depend on. Absent parts are empty. */
export interface NatOptions {
  /** Links that lead outside. */
  readonly uplinks: readonly string[]
  /** Whether what leaves gets an address of this host. */
  readonly masquerade: boolean
  /** Cells for which it is the other way round. */
  readonly natExceptions?: readonly Cidr[]
  /** Where this host itself uses another address than masquerading would. */
  readonly sources?: readonly SourceChoice[]
}

/**
 * Outside the plan nobody knows plan addresses; within it, and on the other hosts, everybody must see the true source.
 * @param knowsHosts whether there is a set of the other hosts' addresses.
 */
export function natRules(plan: Cidr, knowsHosts: boolean, options: NatOptions): string[] {
  const translated = translatedSources(plan, options)
  const toHosts = knowsHosts && translated.length > 0
  return [
    ...(toHosts ? [`-s ${plan} -m set --match-set ${HOST_SETS[plan.family]} dst -j RETURN`] : []),
    ...(options.masquerade ? exceptionsOf(plan, options).map((cell) => `-s ${cell} -j RETURN`) : []),
    ...translated.flatMap((source) => [
      ...chosenSources(plan, source, options),
      `-s ${source} ! -d ${plan} ! -o ${ANY_ENDPOINT} -j MASQUERADE`,
    ]),
  ]
}

/** What is translated when it leaves: the plan, or some cells of it. */
export function translatedSources(plan: Cidr, options: NatOptions): Cidr[] {
  return options.masquerade ? [plan] : exceptionsOf(plan, options)
}

function exceptionsOf({ family }: Cidr, { natExceptions = [] }: NatOptions): Cidr[] {
  return natExceptions.filter((cell) => cell.family === family)
}

function chosenSources(plan: Cidr, from: Cidr, { uplinks, sources = [] }: NatOptions): string[] {
  return sources
    .filter(({ link, destination }) => destination.family === plan.family && uplinks.includes(link))
    .map(({ link, destination, source }) => {
      const to = destination.prefixLength === 0 ? `! -d ${plan}` : `-d ${destination}`
      const target = source === undefined ? 'MASQUERADE' : `SNAT --to-source ${source}`
      return `-s ${from} ${to} -o ${link} -j ${target}`
    })
}

const EXCEPTION = /^-s (?<cell>\S+)(?<rest> -j RETURN| ! -d \S+ ! -o \S+ -j MASQUERADE)$/

/** Whether what leaves a cell is translated, where a rule of {@link natRules} says so of it. */
export function readNat(rules: readonly string[], cell: Cidr): boolean | undefined {
  for (const rule of rules) {
    const { cell: text = '', rest } = EXCEPTION.exec(rule)?.groups ?? {}
    if (rest !== undefined && Cidr.parse(text).equals(cell)) return rest !== ' -j RETURN'
  }
  return undefined
}
