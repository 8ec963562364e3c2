/**
 * What the rules say of a flow that the kernel keeps in mind, and lets pass without asking again: whether they would drop the packet
 * that begins it. A second reading of `firewall.ts`, in the order of its rules; a test compares the two. Pure.
 */

import type { Ip } from '../address/ip.ts'
import { sameSegment } from '../address/prefixes.ts'
import type { LinkClass } from './marks.ts'
import { type Flow, isTranslated } from './parse-conntrack.ts'
import { judgeEgress, judgeIngress, judgeToHost, type PolicyJudges } from './policy-verdict.ts'
import { isLoopback } from './port-rules.ts'
import { leadsToStore, type StoreAddress } from './store-rules.ts'

/** What the verdict depends on beside the flow. */
export interface Judges extends PolicyJudges {
  /** Whether the address is one of this host itself, those of gateways too. */
  readonly isHost: (address: Ip) => boolean
  /** By which link of an endpoint of this host the address is reached; undefined: by none. */
  readonly linkOf: (address: Ip) => LinkClass | undefined
  /** Whether endpoints reach what listens on their own host. */
  readonly isHostOpen: boolean
  readonly stores: readonly StoreAddress[]
  /** Whether who answers does so at a published port. */
  readonly isPublished: (flow: Flow) => boolean
  /** Whether plan addresses may leave by the link that leads to this address outside the plan. */
  readonly isOutside: (address: Ip) => boolean
}

/** Whether a packet that begins the flow would be dropped now. */
export function isForbidden(judges: Judges, flow: Flow): boolean {
  const { plan, isHost } = judges
  const [isOfPlan, isToPlan] = [flow.source, flow.server].map((address) => plan.cidr.contains(address))
  if (isHost(flow.source) || (isOfPlan !== true && isToPlan !== true)) return false
  const isToHost = isHost(flow.server)
  if (isOfPlan === true && leadsToStore(judges.stores, flow, isToHost)) return true
  if (isToHost) return !mayReachHost(judges, flow)
  if (isOfPlan === true && judgeEgress(judges, flow) === 'denied') return true
  return isToPlan === true ? !mayReceive(judges, flow) : !mayLeave(judges, flow)
}

/** What nobody but the endpoints of this host may do at all, and those of internal networks by pings only. */
function mayReachHost(judges: Judges, flow: Flow): boolean {
  const link = judges.linkOf(flow.source)
  if (link === undefined || isLoopback(flow.destination)) return false
  if (link === 'internal') return isPing(flow) && judgeEgress(judges, flow) !== 'denied'
  const verdict = judgeToHost(judges, flow)
  if (verdict !== 'unsaid') return verdict === 'allowed'
  return judges.isHostOpen || isPing(flow) || isQuestion(flow)
}

function isPing({ protocol, icmpType }: Flow): boolean {
  return (protocol === 'icmp' && icmpType === 8) || (protocol === 'icmpv6' && icmpType === 128)
}

function isQuestion({ protocol, serverPort }: Flow): boolean {
  return (protocol === 'tcp' || protocol === 'udp') && serverPort === 53
}

function mayReceive(judges: Judges, flow: Flow): boolean {
  const verdict = judgeIngress(judges, flow)
  if (verdict === 'denied') return false
  if (sameSegment(judges.plan, flow.source, flow.server)) return true
  const isInternal = [flow.source, flow.server].some((address) => judges.linkOf(address) === 'internal')
  if (isInternal) return false
  return verdict === 'allowed' || (isTranslated(flow) && judges.isPublished(flow))
}

/** What is translated on its way elsewhere is left to who translates it. */
function mayLeave({ linkOf, isOutside }: Judges, flow: Flow): boolean {
  return linkOf(flow.source) !== 'internal' && (isOutside(flow.server) || isTranslated(flow))
}
