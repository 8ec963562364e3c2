/**
 * FORWARD's own policy drops what neither Romana's rules nor anybody else's accept: Docker sets it, or Romana where it switches
 * forwarding on. Behind rules that somebody flushes it is all that keeps tenants apart, so it is kept once it was seen. A host
 * whose policy is to accept from the start is left so: it may be a router for others.
 */
import type { Family } from '../address/ip.ts'
import type { ObservedHost } from '../host/host-state.ts'
import type { IptablesVariant } from '../host/iptables-variant.ts'

/** Families in which the policy is to drop, now or at an earlier look. */
export type KeepForwardClosed = (
  variant: IptablesVariant,
  seen: Pick<ObservedHost, 'firewall'>,
) => readonly Family[]

/** Remembers for as long as the plugin runs: to open FORWARD for good, somebody does so before the plugin is enabled. */
export function makeKeepForwardClosed(): KeepForwardClosed {
  const closed: Record<IptablesVariant, Set<Family>> = { nft: new Set(), legacy: new Set() }
  return (variant, { firewall }) => {
    for (const table of firewall) {
      if (table.table === 'filter' && table.closed.has('FORWARD')) closed[table.variant].add(table.family)
    }
    return [...closed[variant]].sort()
  }
}
