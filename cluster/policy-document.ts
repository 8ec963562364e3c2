/** Policies as people write them: JSON, read into typed values with errors that point into the document. Pure. */
import * as v from 'valibot'
import { RomanaError } from '../errors.ts'
import type { PolicyName } from '../store/ids.ts'
import type { PolicyRule } from '../store/policy-records.ts'
import { type DocumentPeer, readPeers } from './policy-document-peers.ts'
import { readRules } from './policy-document-rules.ts'
import { type Problems, pathOf } from './policy-problems.ts'
import { type DocumentParty, PolicyDocument, type PolicyShape } from './policy-shapes.ts'

/** A policy that agrees with itself. Whether its tenants and segments exist is not known yet. */
export interface DocumentPolicy {
  readonly name: PolicyName
  readonly description?: string | undefined
  readonly direction: 'ingress' | 'egress'
  readonly isDefaultDeny: boolean
  readonly appliesTo: readonly DocumentParty[]
  readonly peers: readonly DocumentPeer[]
  readonly rules: readonly PolicyRule[]
}

/** @throws RomanaError E_POLICY that lists what is wrong, and where: "policies[2].rules[0].ports[1]: ..." */
export function parsePolicies(document: unknown): DocumentPolicy[] {
  const parsed = v.safeParse(PolicyDocument, document)
  if (!parsed.success) throw policyError(parsed.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`))
  const problems: Problems = []
  const policies = parsed.output.policies.map((shape, index) =>
    readPolicy(shape, `policies[${index}]`, problems),
  )
  problems.push(...namedTwice(policies))
  if (problems.length > 0) throw policyError(problems)
  return policies
}

function readPolicy(shape: PolicyShape, path: string, problems: Problems): DocumentPolicy {
  const { name, description, direction, appliesTo } = shape
  const isDefaultDeny = shape.default === 'deny'
  const peers = readPeers(shape.peers, `${path}.peers`, problems)
  const rules = readRules(shape.rules, `${path}.rules`, problems)
  problems.push(...contradictions({ direction, isDefaultDeny, peers, rules }, path))
  // Peers without rules: by every protocol.
  const wholeRules: PolicyRule[] = peers.length > 0 && rules.length === 0 ? [{ protocol: 'any' }] : rules
  return { name, description, direction, isDefaultDeny, appliesTo, peers, rules: wholeRules }
}

type Said = Pick<DocumentPolicy, 'direction' | 'isDefaultDeny' | 'peers' | 'rules'>

/** A policy that says less than its author may think. */
function contradictions({ direction, isDefaultDeny, peers, rules }: Said, path: string): string[] {
  if (peers.length === 0 && rules.length > 0)
    return [`${path}.peers: there are rules and no peers: write {"peer": "any"} for everybody`]
  if (peers.length === 0 && !isDefaultDeny)
    return [`${path}: it allows nothing and denies nothing: name peers, or "default": "deny"`]
  return peers.flatMap(({ kind }, index) => {
    if (direction === 'ingress' && kind === 'host')
      return [`${path}.peers[${index}].peer: the host reaches its own endpoints anyway`]
    if (direction === 'egress' && kind !== 'host' && !isDefaultDeny)
      return [`${path}.default: endpoints may go there already: an egress policy has "default": "deny"`]
    return []
  })
}

function namedTwice(policies: readonly DocumentPolicy[]): string[] {
  return policies.flatMap(({ name }, index) =>
    policies.findIndex((other) => other.name === name) < index
      ? [`policies[${index}].name: "${name}" is the name of another one in the document`]
      : [],
  )
}

/** So many problems are said at once. */
const PROBLEM_LIMIT = 10

/** @param problems each with where it is. */
export function policyError(problems: readonly string[]): RomanaError {
  const said = [...new Set(problems)]
  const more = said.length > PROBLEM_LIMIT ? [`and ${said.length - PROBLEM_LIMIT} more`] : []
  return new RomanaError('E_POLICY', {
    cannot: 'use the policies',
    because: [...said.slice(0, PROBLEM_LIMIT), ...more].join('; '),
    remedy: 'Nothing was changed: correct the document. docs/policies.md has its form',
  })
}
