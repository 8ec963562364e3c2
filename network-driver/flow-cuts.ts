/**
 * The rules let pass what belongs to a flow that the kernel knows. So behind a change of the rules, and behind a gap in which some were
 * missing, flows go on that are forbidden now: these are forgotten, and what comes next of them is judged anew.
 */
import { plansOf } from '../address/ipv6-plan.ts'
import { flowSelectors } from '../host/flow-selectors.ts'
import { isForbidden } from '../host/flow-verdict.ts'
import type { Host } from '../host/linux-host.ts'
import { type JudgedHost, judgesOf } from './flow-judges.ts'

type Recorded = 'networks' | 'endpoints' | 'ports' | 'policies'

/** What flows are judged by. */
export interface CutParts extends Omit<JudgedHost, Recorded> {
  readonly host: Host
  /** Asked behind the flows: what began a flow was recorded before. */
  readonly records: () => Promise<Pick<JudgedHost, Recorded>>
}

/** Behind the rules. Gives how many. @throws RomanaError E_COMMAND, E_STORE */
export async function cutFlows({ host, records, ...known }: CutParts): Promise<number> {
  let count = 0
  for (const plan of plansOf(known.plans)) {
    const flows = await host.flows(plan.cidr)
    const judges = judgesOf({ ...known, ...(await records()) }, plan)
    const { forbidden = [], kept = [] } = Object.groupBy(flows, (flow) =>
      isForbidden(judges, flow) ? 'forbidden' : 'kept',
    )
    await host.forgetFlows(flowSelectors(plan, forbidden, kept))
    count += forbidden.length
  }
  return count
}
