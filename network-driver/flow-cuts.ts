/**
 * The rules let pass what belongs to a flow that the kernel knows. So behind a change of the rules, and behind a gap in which some were
 * missing, flows go on that are forbidden now: these are forgotten, and what comes next of them is judged anew.
 */
import type { Plans } from '../address/address-plan.ts'
import { plansOf } from '../address/ipv6-plan.ts'
import { flowSelectors } from '../host/flow-selectors.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { Host } from '../host/linux-host.ts'
import type { Flow } from '../host/parse-conntrack.ts'
import { isForbidden, type Judges } from '../host/policy-verdict.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import { policiesOf } from './policy-state.ts'

/** What flows are judged by. */
export interface CutParts extends Pick<Judges, 'isHostOpen' | 'stores'> {
  readonly host: Host
  readonly plans: Plans
  /** All that hold now. */
  readonly policies: readonly PolicyRecord[]
  readonly seen: ObservedHost
}

/** Behind the rules. Gives how many. @throws RomanaError E_COMMAND */
export async function cutFlows(parts: CutParts): Promise<number> {
  const { host, plans, seen, isHostOpen, stores } = parts
  const policies = policiesOf(parts.policies)
  const own = [...seen.addresses, ...seen.linkAddresses].map(({ address }) => address)
  let count = 0
  for (const plan of plansOf(plans)) {
    const { family } = plan.cidr
    const values = new Set(own.filter((address) => address.family === family).map(({ value }) => value))
    const judges: Judges = { plan, policies, isHost: ({ value }) => values.has(value), isHostOpen, stores }
    const verdictOf = (flow: Flow) => (isForbidden(judges, flow) ? 'forbidden' : 'kept')
    const { forbidden = [], kept = [] } = Object.groupBy(await host.flows(plan.cidr), verdictOf)
    await host.forgetFlows(flowSelectors(plan, forbidden, kept))
    count += forbidden.length
  }
  return count
}
