/** Brings this host to the state that the records ask for. The same path at start, for a new network, and after a flush. */
import { isDeepStrictEqual } from 'node:util'
import type { Plans } from '../address/address-plan.ts'
import type { HostState, ObservedHost } from '../host/host-state.ts'
import type { Host } from '../host/linux-host.ts'
import { formatHostPlan, type HostPlan, isEmptyPlan, planHost } from '../host/plan-host.ts'
import type { FindSegmentMatch } from '../host/segment-match.ts'
import { sourceChoices } from '../host/source-choice.ts'
import { type StoreAddress, withPlaces } from '../host/store-rules.ts'
import { wayTo } from '../host/ways.ts'
import type { PeerRecord } from '../store/host-records.ts'
import { journalKeys } from '../store/keys.ts'
import type { EndpointRecord } from '../store/records.ts'
import { findDeadEndpoints } from './adoption.ts'
import { desiredState } from './desired-state.ts'
import { restingAddresses } from './endpoint-addresses.ts'
import type { KeepForwardClosed } from './forward-policy.ts'
import { chooseIptables, type IptablesSetting, rememberIptables } from './iptables-choice.ts'
import { listEndpoints, listNetworks, listPeers, listPolicies, listPorts, type Stores } from './records.ts'

export interface ConvergeParts {
  readonly stores: Stores
  readonly host: Host
  readonly plans: Plans
  /** Links that lead outside, when the setting names them; otherwise those of the default routes. */
  readonly uplinks: readonly string[] | undefined
  /** Whether what leaves gets an address of this host, where a network says nothing else. */
  readonly masquerade: boolean
  /** Whether endpoints reach what listens on their own host. */
  readonly isHostOpen: boolean
  readonly iptables: IptablesSetting
  readonly segmentMatch: FindSegmentMatch
  readonly keepForwardClosed: KeepForwardClosed
  /** Where the members of the store listen that this host shares with others; undefined on a single host. */
  readonly storeAddresses: () => readonly StoreAddress[] | undefined
  /** Told of every plan that is not empty, before it is carried out, and of what was noticed when others caused it. */
  readonly onPlan: (text: string, noticed?: readonly string[]) => void
  /** Told after each look what the host carries now. */
  readonly onState: (state: HostState) => void
}

export interface Converged {
  /** Before anything was changed. */
  readonly seen: ObservedHost
  /** Whether rules were written: some were missing, or shall be others than before. */
  readonly isRestored: boolean
}

/**
 * The host is observed before the records are read, so that what is seen was recorded before: a record always comes
 * before its link. Must run alone ({@link Gate}).
 * @throws RomanaError E_COMMAND, E_HOST, E_STORE
 */
export async function converge(
  parts: ConvergeParts,
  when: 'at start' | 'later' = 'later',
): Promise<Converged> {
  let look = await lookAtHost(parts, when)
  try {
    await carryOut(parts, look.plan)
  } catch (error) {
    // A container that dies between the look and the change takes its link, and lines about that fail.
    const failed = look.plan.ip
    look = await lookAtHost(parts, when)
    if (isDeepStrictEqual(look.plan.ip, failed)) throw error
    await carryOut(parts, look.plan)
  }
  parts.onState(look.wanted)
  return { seen: look.seen, isRestored: look.plan.restore.length > 0 }
}

interface Look {
  readonly seen: ObservedHost
  readonly wanted: HostState
  readonly plan: HostPlan
}

async function lookAtHost(parts: ConvergeParts, when: 'at start' | 'later'): Promise<Look> {
  const seen = await parts.host.observe()
  await buryEndpoints(parts.stores, findDeadEndpoints(seen, await listEndpoints(parts.stores), when))
  if (parts.iptables === 'auto') await rememberIptables(parts.stores.journal, seen)
  const wanted = await wantedState(parts, seen, await listEndpoints(parts.stores))
  return { seen, wanted, plan: planHost(wanted, seen) }
}

async function carryOut({ host, onPlan }: ConvergeParts, plan: HostPlan): Promise<void> {
  if (isEmptyPlan(plan)) return
  onPlan(formatHostPlan(plan))
  await host.apply(plan)
}

/**
 * What {@link converge} would change now, as text; "" when the host is as recorded. Changes nothing. Beside
 * other tasks what is in the making can look like something to do, never the other way round.
 * @throws RomanaError E_COMMAND, E_HOST, E_STORE
 */
export async function preview(parts: ConvergeParts): Promise<string> {
  const seen = await parts.host.observe()
  const endpoints = await listEndpoints(parts.stores)
  const dead = findDeadEndpoints(seen, endpoints, 'later')
  const living = endpoints.filter((endpoint) => !dead.includes(endpoint))
  return formatHostPlan(planHost(await wantedState(parts, seen, living), seen))
}

/** Their addresses rest, as if the engine had given them back. Whatever it still says of them later is well. @throws RomanaError E_STORE, E_RECORD */
export async function buryEndpoints(stores: Stores, dead: readonly EndpointRecord[]): Promise<void> {
  for (const endpoint of dead) {
    await stores.journal.commit([
      { kind: 'remove', key: journalKeys.endpoint(endpoint.endpointId) },
      { kind: 'remove', key: journalKeys.endpointPorts(endpoint.endpointId) },
      ...(await restingAddresses(stores.journal, endpoint)),
    ])
  }
}

async function wantedState(
  parts: ConvergeParts,
  seen: ObservedHost,
  endpoints: readonly EndpointRecord[],
): Promise<HostState> {
  const { stores, plans, uplinks, masquerade, isHostOpen } = parts
  const addresses = parts.storeAddresses()
  const { mainRoutes } = seen
  const cluster = addresses && {
    peers: await listPeers(stores),
    stores: withPlaces(addresses, seen),
    mainRoutes,
  }
  const networks = await listNetworks(stores)
  const iptables = await chooseIptables(stores.journal, parts.iptables, seen)
  return desiredState({
    ...(cluster && { cluster }),
    plans,
    host: BigInt(stores.host),
    networks,
    endpoints,
    ports: await listPorts(stores),
    policies: await listPolicies(stores),
    uplinks: uplinks ?? seen.defaultLinks,
    sources: sourceChoices(seen),
    masquerade,
    isHostOpen,
    iptables,
    forwardClosed: parts.keepForwardClosed(iptables, seen),
    // Nothing is tried on a host that shall carry nothing.
    segmentMatch: networks.length === 0 ? 'bpf' : await parts.segmentMatch(iptables, seen),
  })
}

/** The smallest MTU of the links that lead outside and to the other hosts, in bytes; Ethernet's where there is none. */
export function underlayMtu(
  seen: ObservedHost,
  uplinks: readonly string[] | undefined,
  peers: readonly Pick<PeerRecord, 'address'>[],
): number {
  const toPeers = peers.flatMap(({ address }) => wayTo(address, seen.mainRoutes)?.link ?? [])
  const names = [...(uplinks ?? seen.defaultLinks), ...toPeers]
  const mtus = seen.links.filter(({ name }) => names.includes(name)).map(({ mtu }) => mtu)
  return mtus.length === 0 ? 1500 : Math.min(...mtus)
}
