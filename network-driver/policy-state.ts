/** Policies as recorded, as the rules of this host need them. Pure. */
import type { Party, Peer, Policy } from '../host/policy.ts'
import type { PolicyParty, PolicyPeer, PolicyRecord } from '../store/policy-records.ts'

/** By name, so that the rules do not depend on who wrote first. */
export function policiesOf(records: readonly PolicyRecord[]): Policy[] {
  const sorted = [...records].sort((a, b) => (a.name < b.name ? -1 : 1))
  return sorted.map(({ direction, isDefaultDeny, appliesTo, peers, rules }) => ({
    direction,
    isDefaultDeny,
    appliesTo: appliesTo.map(partyOf),
    peers: peers.map(peerOf),
    rules,
  }))
}

function partyOf({ tenant, segment }: PolicyParty): Party {
  return {
    tenant: BigInt(tenant.number),
    ...(segment === undefined ? {} : { segment: BigInt(segment.number) }),
  }
}

function peerOf(peer: PolicyPeer): Peer {
  return peer.kind === 'party' ? { kind: 'party', party: partyOf(peer) } : peer
}
