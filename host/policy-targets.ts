/** Which segments and tenants have policies, and which. Pure. */
import type { Policy } from './policy.ts'

export interface PolicyTenant {
  readonly tenant: bigint
  /** Of the whole tenant. */
  readonly own: readonly Policy[]
  /** Those that have policies beside the tenant's. */
  readonly segments: readonly PolicySegment[]
}

export interface PolicySegment {
  readonly segment: bigint
  readonly policies: readonly Policy[]
}

/** By number. */
export function policyTenants(policies: readonly Policy[]): PolicyTenant[] {
  const byTenant = groupBy(
    policies.flatMap((policy) => policy.appliesTo.map((party) => ({ policy, ...party }))),
    ({ tenant }) => tenant,
  )
  return byTenant.map(([tenant, applied]) => ({
    tenant,
    own: unique(applied.filter(({ segment }) => segment === undefined)),
    segments: groupBy(
      applied.filter(({ segment }) => segment !== undefined),
      ({ segment }) => segment ?? 0n,
    ).map(([segment, ofSegment]) => ({ segment, policies: unique(ofSegment) })),
  }))
}

/** A policy that names a segment twice applies once. */
function unique(applied: readonly { readonly policy: Policy }[]): Policy[] {
  return [...new Set(applied.map(({ policy }) => policy))]
}

function groupBy<T>(items: readonly T[], numberOf: (item: T) => bigint): [bigint, T[]][] {
  return [...Map.groupBy(items, numberOf)].sort(([a], [b]) => (a < b ? -1 : 1))
}
