/** Policies of the cluster come to this host: into the journal, then into the rules, then to the flows that are there already. */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import type { Ip } from '../address/ip.ts'
import { plansOf } from '../address/ipv6-plan.ts'
import { flowSelectors } from '../host/flow-selectors.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { Host } from '../host/linux-host.ts'
import type { Flow } from '../host/parse-conntrack.ts'
import { concerns, isForbidden } from '../host/policy-verdict.ts'
import { journalKeys } from '../store/keys.ts'
import type { PolicyRecord } from '../store/policy-records.ts'
import { formatRecord } from '../store/records.ts'
import { type Change, MAX_CHANGES, type Store } from '../store/store.ts'
import { policiesOf } from './policy-state.ts'

/** Policies as they were and as they are, where these differ. */
export interface PolicyChange {
  readonly before: readonly PolicyRecord[]
  readonly after: readonly PolicyRecord[]
}

/** What differs between two sets. */
export function policyChange(before: readonly PolicyRecord[], after: readonly PolicyRecord[]): PolicyChange {
  const without = (some: readonly PolicyRecord[], others: readonly PolicyRecord[]) => {
    const texts = new Set(others.map(formatRecord))
    return some.filter((policy) => !texts.has(formatRecord(policy)))
  }
  return { before: without(before, after), after: without(after, before) }
}

export const NO_CHANGE: PolicyChange = { before: [], after: [] }

export function isNoChange({ before, after }: PolicyChange): boolean {
  return before.length === 0 && after.length === 0
}

/** Both changes as one. */
export function addChange(earlier: PolicyChange, later: PolicyChange): PolicyChange {
  return { before: [...earlier.before, ...later.before], after: [...earlier.after, ...later.after] }
}

/** @param policies all that there shall be. @throws RomanaError E_STORE */
export async function writePolicies(
  journal: Store,
  { before, after }: PolicyChange,
  policies: readonly PolicyRecord[],
): Promise<void> {
  const kept = new Map(policies.map((policy) => [policy.name, policy]))
  const names = new Set([...before, ...after].map(({ name }) => name))
  const changes = [...names].map((name): Change => {
    const policy = kept.get(name)
    const key = journalKeys.policy(name)
    return policy === undefined ? { kind: 'remove', key } : { kind: 'put', key, value: formatRecord(policy) }
  })
  while (changes.length > 0) await journal.commit(changes.splice(0, MAX_CHANGES))
}

/** What a flow is judged by. */
export interface CutParts {
  readonly host: Host
  readonly plans: Plans
  /** All that hold now. */
  readonly policies: readonly PolicyRecord[]
  readonly seen: ObservedHost
}

/** As {@link cutFlows}, those that the change forbids. @throws RomanaError E_COMMAND */
export async function cutChangedFlows(parts: CutParts, { before, after }: PolicyChange): Promise<number> {
  const changed = policiesOf([...before, ...after])
  if (changed.length === 0) return 0
  return await cutFlows(parts, (plan, flow) => concerns(plan, changed, flow))
}

/**
 * The rules let pass what belongs to a flow that the kernel knows. So those that are forbidden, and for which it is asked, are
 * forgotten, behind the rules: what comes next of them is judged anew. Gives their number. @throws RomanaError E_COMMAND
 */
export async function cutFlows(
  parts: CutParts,
  isAsked: (plan: AddressPlan, flow: Flow) => boolean,
): Promise<number> {
  const { host, plans, seen } = parts
  const policies = policiesOf(parts.policies)
  const flows = await host.flows(plansOf(plans).map(({ cidr }) => cidr))
  let count = 0
  for (const plan of plansOf(plans)) {
    const { family } = plan.cidr
    const own = [...seen.addresses, ...seen.linkAddresses].filter(({ address }) => address.family === family)
    const values = new Set(own.map(({ address }) => address.value))
    const isHost = ({ value }: Ip) => values.has(value)
    const ofFamily = flows.filter(({ source }) => source.family === family)
    const isCut = (flow: Flow) => isAsked(plan, flow) && isForbidden({ plan, policies, isHost }, flow)
    const [kept, forbidden] = partition(ofFamily, isCut)
    await host.forgetFlows(flowSelectors(plan, forbidden, kept))
    count += forbidden.length
  }
  return count
}

/** Those of which it does not hold, and those of which it does. */
function partition<T>(all: readonly T[], holds: (each: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []]
  for (const each of all) parts[holds(each) ? 1 : 0].push(each)
  return parts
}
