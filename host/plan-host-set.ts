/** The set of the other hosts' addresses, wanted against seen: lines of `ipset restore`. Pure. */
import type { HostState, ObservedHost } from './host-state.ts'
import { HOST_SET } from './marks.ts'

/** What comes before the rules, which need the set, and what comes after them, when none names it any more. */
export interface HostSetPlan {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export function planHostSet(
  { hostSet: wanted }: Pick<HostState, 'hostSet'>,
  { hostSet: seen }: Pick<ObservedHost, 'hostSet'>,
): HostSetPlan {
  if (wanted === undefined) return { before: [], after: seen === undefined ? [] : [`destroy ${HOST_SET}`] }
  const [wantedTexts, seenTexts] = [wanted.map(String), (seen ?? []).map(String)]
  return {
    before: [
      ...(seen === undefined ? [`create ${HOST_SET} hash:ip family inet`] : []),
      ...wantedTexts.filter((text) => !seenTexts.includes(text)).map((text) => `add ${HOST_SET} ${text}`),
      ...seenTexts.filter((text) => !wantedTexts.includes(text)).map((text) => `del ${HOST_SET} ${text}`),
    ],
    after: [],
  }
}
