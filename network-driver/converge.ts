/** Brings this host to the state that the records ask for. The same path at start, for a new network, and after a flush. */
import type { Plans } from '../address/address-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { Host } from '../host/linux-host.ts'
import { formatHostPlan, type HostPlan, isEmptyPlan, planHost } from '../host/plan-host.ts'
import { journalKeys } from '../store/keys.ts'
import { AddressRecord, type EndpointRecord, formatRecord, getRecord } from '../store/records.ts'
import { findDeadEndpoints } from './adoption.ts'
import { desiredState } from './desired-state.ts'
import { listEndpoints, listNetworks, type Stores } from './records.ts'

export interface ConvergeParts {
  readonly stores: Stores
  readonly host: Host
  readonly plans: Plans
  /** Links that lead outside, when the setting names them; otherwise those of the default routes. */
  readonly uplinks: readonly string[] | undefined
  /** Told of every plan that is not empty, before it is carried out. */
  readonly onPlan: (text: string) => void
}

/**
 * The host is observed before the records are read, so that what is seen was recorded before: a record always comes
 * before its link. Must run alone ({@link Gate}). Gives back what was seen.
 * @throws RomanaError E_COMMAND, E_HOST, E_STORE
 */
export async function converge(
  parts: ConvergeParts,
  when: 'at start' | 'later' = 'later',
): Promise<ObservedHost> {
  const seen = await parts.host.observe()
  await buryEndpoints(parts.stores, findDeadEndpoints(seen, await listEndpoints(parts.stores), when))
  const plan = await planFor(parts, seen)
  if (!isEmptyPlan(plan)) {
    parts.onPlan(formatHostPlan(plan))
    await parts.host.apply(plan)
  }
  return seen
}

/** Their addresses rest, as if the engine had given them back. Whatever it still says of them later is well. */
async function buryEndpoints(stores: Stores, dead: readonly EndpointRecord[]): Promise<void> {
  for (const { endpointId, address } of dead) {
    const addressKey = journalKeys.address(address)
    const held = await getRecord(stores.journal, AddressRecord, addressKey)
    await stores.journal.commit([
      { kind: 'remove', key: journalKeys.endpoint(endpointId) },
      ...(held?.record.endpointId === endpointId
        ? [{ kind: 'put' as const, key: addressKey, value: formatRecord({ address, state: 'resting' }) }]
        : []),
    ])
  }
}

async function planFor({ stores, plans, uplinks }: ConvergeParts, seen: ObservedHost): Promise<HostPlan> {
  const wanted = desiredState({
    plans,
    host: BigInt(stores.host),
    networks: await listNetworks(stores),
    endpoints: await listEndpoints(stores),
    uplinks: uplinks ?? seen.defaultLinks,
  })
  return planHost(wanted, seen)
}

/** The smallest MTU of the links that lead outside, in bytes; Ethernet's where there is none. */
export function uplinkMtu(seen: ObservedHost, uplinks: readonly string[] | undefined): number {
  const names = uplinks ?? seen.defaultLinks
  const mtus = seen.links.filter(({ name }) => names.includes(name)).map(({ mtu }) => mtu)
  return mtus.length === 0 ? 1500 : Math.min(...mtus)
}
