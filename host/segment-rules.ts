/** "Same segment: accept", for all segments there will ever be or for each one that this host has. Pure. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Chain } from './host-state.ts'
import { CHAIN_PREFIX } from './marks.ts'
import { segmentMatch } from './policy-matches.ts'
import { segmentFilter } from './segment-filter.ts'

/** One rule that compares the addresses of a packet, or masks with holes, which need a rule for each segment. */
export const SEGMENT_MATCHES = ['bpf', 'masks'] as const
export type SegmentMatch = (typeof SEGMENT_MATCHES)[number]

const SEGMENTS = `${CHAIN_PREFIX}SEGMENTS`

/** The rule that accepts what stays within a segment, and the chain that it needs for it. */
export interface SegmentRules {
  readonly accept: string
  readonly chains: readonly Chain[]
}

/** @param cells those of this host's networks, of either family; undefined: one rule for all segments (`xt_bpf`). */
export function segmentRules(plan: AddressPlan, cells: readonly Cidr[] | undefined): SegmentRules {
  const { cidr } = plan
  if (cells !== undefined)
    return {
      accept: `-s ${cidr} -d ${cidr} -j ${SEGMENTS}`,
      chains: [{ name: SEGMENTS, rules: maskRules(plan, cells) }],
    }
  // Without "-s" two bridge networks could look like one segment: the filter compares only masked bits.
  return { accept: `-s ${cidr} -m bpf --bytecode "${segmentFilter(plan)}" -j ACCEPT`, chains: [] }
}

/** One a segment, however many networks it has here; in the order of the text, whichever network came first. */
function maskRules(plan: AddressPlan, cells: readonly Cidr[]): string[] {
  const ofPlan = cells.filter(({ network }) => plan.cidr.contains(network))
  const matches = ofPlan.map(({ network }) => segmentMatch(plan, network))
  return [...new Set(matches)].sort().map((match) => `-s ${match} -d ${match} -j ACCEPT`)
}
