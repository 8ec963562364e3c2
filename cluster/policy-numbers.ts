/** The names in a policy and the numbers that they stand for. Pure. */
import * as v from 'valibot'
import { type FieldNumber, FieldNumberSchema, isAutomaticName, type Name } from '../store/ids.ts'
import type { PolicyParty, PolicyPeer, PolicyRecord } from '../store/policy-records.ts'
import type { SegmentRecord, TenantRecord } from '../store/records.ts'
import { type DocumentPolicy, policyError } from './policy-document.ts'
import type { Problems } from './policy-problems.ts'
import type { DocumentParty } from './policy-shapes.ts'

/** The tenants and segments that there are. */
export interface Named {
  readonly tenants: readonly TenantRecord[]
  readonly segments: readonly SegmentRecord[]
}

/** Stands where a problem was found. */
const NO_NUMBER = v.parse(FieldNumberSchema, 0)

/** @throws RomanaError E_POLICY when a tenant or segment is not there. */
export function numberPolicies(policies: readonly DocumentPolicy[], named: Named): PolicyRecord[] {
  const problems: Problems = []
  const number = (party: DocumentParty, path: string) => numberParty(party, named, path, problems)
  const records = policies.map((policy, index): PolicyRecord => {
    const path = `policies[${index}]`
    const { name, description, direction, isDefaultDeny, appliesTo, peers, rules } = policy
    // In the order of the record's shape: records are compared as texts.
    return {
      name,
      description,
      direction,
      isDefaultDeny,
      appliesTo: appliesTo.map((party, place) => number(party, `${path}.appliesTo[${place}]`)),
      peers: peers.map((peer, place): PolicyPeer => {
        if (peer.kind === 'party') return { kind: 'party', ...number(peer, `${path}.peers[${place}]`) }
        return peer.kind === 'cidr' ? { ...peer, except: [...peer.except] } : peer
      }),
      rules: [...rules],
    }
  })
  if (problems.length > 0) throw policyError(problems)
  return records
}

/** A name that nobody has adds a problem; the number does not matter then. */
function numberParty(party: DocumentParty, named: Named, path: string, problems: Problems): PolicyParty {
  const { tenant: name, segment } = party
  const tenant = named.tenants.find((other) => other.name === name)
  if (tenant === undefined) {
    problems.push(`${path}.tenant: there is no tenant "${name}": romana tenant add ${name}`)
    return { tenant: { name, number: NO_NUMBER } }
  }
  const owner = { tenant: { name, number: tenant.number } }
  if (segment === undefined) return owner
  return { ...owner, segment: { name: segment, number: numberSegment(name, segment, named, path, problems) } }
}

function numberSegment(
  tenant: Name,
  name: Name,
  { segments }: Named,
  path: string,
  problems: Problems,
): FieldNumber {
  const found = segments.find((other) => other.tenant === tenant && other.name === name)
  if (isAutomaticName(name))
    problems.push(`${path}.segment: "${name}" goes with its network: use a segment with a name`)
  else if (found === undefined)
    problems.push(
      `${path}.segment: there is no segment "${name}" of tenant "${tenant}": romana segment add ${tenant} ${name}`,
    )
  return found?.number ?? NO_NUMBER
}
