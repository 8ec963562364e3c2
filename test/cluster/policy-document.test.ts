import { describe, expect, test } from 'vitest'
import { parsePolicies } from '../../cluster/policy-document.ts'
import { policyView } from '../../cluster/policy-view.ts'
import type { OraclePolicy } from '../support/policy-oracle.ts'
import { recordsOf } from '../support/policy-world.ts'

const DENY = { name: 'a', direction: 'ingress', appliesTo: [{ tenant: 'red' }], default: 'deny' }
const ALLOW = { ...DENY, peers: [{ peer: 'any' }] }

/** What is wrong with the policies, without the words around it. */
function problemsOf(...policies: readonly object[]): string {
  try {
    parsePolicies({ policies })
    return 'nothing'
  } catch (error) {
    const [, problems = String(error)] =
      /^Cannot use the policies: (.*)\. Nothing was changed/s.exec(
        error instanceof Error ? error.message : '',
      ) ?? []
    return problems
  }
}

describe('errors point into the document', () => {
  test.each([
    [
      { ...DENY, direction: 'in' },
      'policies[0].direction: Invalid type: Expected ("ingress" | "egress") but received "in"',
    ],
    [
      { ...DENY, name: 'a b' },
      'policies[0].name: must be 1 to 63 letters, digits, "_", "." and "-", and begin with a letter or digit',
    ],
    [{ ...DENY, appliesTo: [] }, 'policies[0].appliesTo: names no tenant and no segment'],
    [{ ...DENY, prots: [] }, 'policies[0].prots: Invalid key: Expected never but received "prots"'],
    [
      { ...ALLOW, peers: [{ peer: 'any' }, {}] },
      'policies[0].peers[1]: must have one of "peer", "cidr" and "tenant"',
    ],
    [
      { ...ALLOW, peers: [{ segment: 'web' }] },
      'policies[0].peers[0].segment: names a segment and not its tenant',
    ],
    [
      { ...ALLOW, peers: [{ cidr: '10.1.0.1/16' }] },
      'policies[0].peers[0].cidr: Cannot use "10.1.0.1/16" as a network: bits behind the prefix are set: the network is 10.1.0.0/16 (E_ADDRESS)',
    ],
    [
      { ...ALLOW, peers: [{ cidr: '10.1.0.0/16', except: ['10.2.0.0/24'] }] },
      'policies[0].peers[0].except[0]: lies outside 10.1.0.0/16',
    ],
    [
      { ...ALLOW, peers: [{ peer: 'host' }] },
      'policies[0].peers[0].peer: the host reaches its own endpoints anyway',
    ],
    [
      { ...ALLOW, rules: [{ protocol: 'tcp', ports: [80, 65_536] }] },
      'policies[0].rules[0].ports[1]: is neither a port from 0 to 65535 nor a range such as "8000-8010"',
    ],
    [
      { ...ALLOW, rules: [{ protocol: 'tcp', ports: ['90-80'] }] },
      'policies[0].rules[0].ports[0]: is neither a port from 0 to 65535 nor a range such as "8000-8010"',
    ],
    [
      { ...ALLOW, rules: [{ protocol: 'icmp', ports: [1], types: [255] }] },
      'policies[0].rules[0].ports: go with "tcp" and "udp" only; policies[0].rules[0].types[0]: is not a number from 0 to 254',
    ],
    [
      { ...DENY, rules: [{ protocol: 'tcp' }] },
      'policies[0].peers: there are rules and no peers: write {"peer": "any"} for everybody',
    ],
    [
      { ...DENY, default: undefined },
      'policies[0]: it allows nothing and denies nothing: name peers, or "default": "deny"',
    ],
    [
      { ...ALLOW, direction: 'egress', default: undefined },
      'policies[0].default: endpoints may go there already: an egress policy has "default": "deny"',
    ],
  ])('%j', (policy, problems) => {
    expect(problemsOf(policy)).toBe(problems)
  })

  test('also into a later policy, and say each problem', () => {
    expect(problemsOf(DENY, { ...ALLOW, rules: [{ protocol: 'udp', ports: ['x'] }] }, DENY)).toBe(
      'policies[1].rules[0].ports[0]: is neither a port from 0 to 65535 nor a range such as "8000-8010"; ' +
        'policies[1].name: "a" is the name of another one in the document; policies[2].name: "a" is the name of another one in the document',
    )
    expect(() => parsePolicies(7)).toThrow('Cannot use the policies: the document: ')
  })

  test('and at tenants and segments that are not there', () => {
    const policy = {
      ...ALLOW,
      appliesTo: [{ tenant: 'red' }, { tenant: 'reed' }],
      peers: [{ tenant: 'red', segment: 'wb' }],
    }
    expect(() => recordsOf([policy])).toThrow(
      'policies[0].appliesTo[1].tenant: there is no tenant "reed": romana tenant add reed; ' +
        'policies[0].peers[0].segment: there is no segment "wb" of tenant "red": romana segment add red wb.',
    )
    expect(() => recordsOf([{ ...DENY, appliesTo: [{ tenant: 'red', segment: 'auto-7' }] }])).toThrow(
      'policies[0].appliesTo[0].segment: "auto-7" goes with its network: use a segment with a name',
    )
  })
})

test('a policy is shown as the document that makes it', () => {
  const policies: OraclePolicy[] = [
    { ...DENY },
    {
      name: 'b.c',
      direction: 'egress',
      appliesTo: [{ tenant: 'red', segment: 'web' }, { tenant: 'blue' }],
      default: 'deny',
      peers: [
        { peer: 'any' },
        { peer: 'host' },
        { cidr: '192.0.2.0/24', except: ['192.0.2.7/32'] },
        { cidr: '2001:db8::/32' },
        { tenant: 'blue', segment: 'db' },
      ],
      rules: [
        { protocol: 'tcp', ports: [80, '8000-8010'] },
        { protocol: 'udp' },
        { protocol: 'icmp', types: [8] },
        { protocol: 'icmp6', types: [128] },
        { protocol: 'any' },
      ],
    },
  ]
  expect(JSON.parse(JSON.stringify(recordsOf(policies).map(policyView)))).toEqual(policies)
})
