/** Policies name tenants and segments: as long as they do, these cannot be removed, since their numbers are in the rules. */
import type { Name } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { type PolicyParty, PolicyRecord } from '../store/policy-records.ts'
import { listRecords } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { inUseError } from './segment-errors.ts'

/**
 * @param what such as `tenant "blue"`.
 * @throws RomanaError E_SEGMENT_IN_USE when a policy names the tenant or, where one is given, its segment; E_STORE, E_RECORD
 */
export async function refuseIfInPolicy(
  directory: Store,
  what: string,
  named: { readonly tenant: Name; readonly segment?: Name },
): Promise<void> {
  const policies = await listRecords(directory, PolicyRecord, directoryKeys.policies())
  const isNamed = ({ tenant, segment }: PolicyParty) =>
    tenant.name === named.tenant && (named.segment === undefined || segment?.name === named.segment)
  const [first] = policies.filter(
    ({ appliesTo, peers }) =>
      appliesTo.some(isNamed) || peers.some((peer) => peer.kind === 'party' && isNamed(peer)),
  )
  if (first === undefined) return
  throw inUseError(
    what,
    `the policy "${first.name}" names it`,
    `Change the policy, or remove it: romana policy remove ${first.name}`,
  )
}
