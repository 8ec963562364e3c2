/** The sets of the other hosts' addresses, wanted against seen: lines of `ipset restore`. Pure. */
import type { Family, Ip } from '../address/ip.ts'
import type { HostSets } from './host-state.ts'
import { HOST_SETS } from './marks.ts'

/** What comes before the rules, which need the sets, and what comes after them, when none names them any more. */
export interface HostSetPlan {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export function planHostSets(wanted: HostSets, seen: HostSets): HostSetPlan {
  const plans = [planHostSet(4, wanted.hostSet, seen.hostSet), planHostSet(6, wanted.hostSet6, seen.hostSet6)]
  return {
    before: plans.flatMap(({ before }) => before),
    after: plans.flatMap(({ after }) => after),
  }
}

function planHostSet(
  family: Family,
  wanted: readonly Ip[] | undefined,
  seen: readonly Ip[] | undefined,
): HostSetPlan {
  const name = HOST_SETS[family]
  if (wanted === undefined) return { before: [], after: seen === undefined ? [] : [`destroy ${name}`] }
  const [wantedTexts, seenTexts] = [wanted.map(String), (seen ?? []).map(String)]
  const type = family === 4 ? 'inet' : 'inet6'
  return {
    before: [
      ...(seen === undefined ? [`create ${name} hash:ip family ${type}`] : []),
      ...wantedTexts.filter((text) => !seenTexts.includes(text)).map((text) => `add ${name} ${text}`),
      ...seenTexts.filter((text) => !wantedTexts.includes(text)).map((text) => `del ${name} ${text}`),
    ],
    after: [],
  }
}
