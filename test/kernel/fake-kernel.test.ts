import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonOf } from '../../errors.ts'
import type { ObservedHost } from '../../host/host-state.ts'
import { formatRoute } from '../../host/plan-host.ts'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'

const PAIR_1 = 'link add name rmne1 mtu 1500 type veth peer name rmp1 mtu 1500'
const OURS = 'table 8200 protocol 82'
const RULE = 'lookup 8200 priority 8200 protocol 82'

/** Lines of `ip`, one after the other: what goes well and what does not. */
const IP_LINES: readonly string[] = [
  PAIR_1,
  PAIR_1,
  'link add name rmne2 mtu 1500 type veth peer name rmp1 mtu 1500',
  'link add name rmne2 mtu 1400 type veth peer name rmp2 mtu 1400',
  'link add name rmne3456789012345 mtu 1500 type veth peer name rmp3 mtu 1500',
  'link set dev rmne9 up',
  'address add 10.1.17.1/32 dev rmne1',
  'address add 10.1.17.1/32 dev rmne1',
  'address add 10.1.17.1/32 dev rmne9',
  `route add 10.1.17.5/32 dev rmne1 ${OURS}`,
  'link set dev rmne1 addrgenmode none alias "romana1 a b 10.1.17.5 red web" up',
  'link set dev rmne2 addrgenmode none alias "" up',
  `route add 10.1.17.5/32 dev rmne1 ${OURS}`,
  `route add 10.1.17.5/32 dev rmne1 ${OURS}`,
  `route add 10.1.17.5/32 dev rmne2 ${OURS}`,
  `route add unreachable 10.1.17.5/32 ${OURS}`,
  `route add 10.1.17.5/32 dev rmne9 ${OURS}`,
  `route add unreachable 10.0.0.0/8 ${OURS}`,
  `route add blackhole 10.0.0.0/8 ${OURS}`,
  `route add blackhole 10.1.0.0/16 ${OURS}`,
  `route delete unreachable 10.1.0.0/16 ${OURS}`,
  `route delete 10.1.17.6/32 dev rmne1 ${OURS}`,
  `route delete 10.1.17.5/32 dev rmne2 ${OURS}`,
  `route delete 10.1.17.5/32 dev rmne9 ${OURS}`,
  'route add 203.0.113.0/24 dev rmne2 table 8200',
  `rule add to 10.0.0.0/8 ${RULE}`,
  `rule add to 10.0.0.0/8 ${RULE}`,
  `rule delete to 10.7.0.0/16 ${RULE}`,
  'address delete 10.1.17.9/32 dev rmne1',
  'address delete 10.1.17.1/32 dev rmne1',
  `route delete 10.1.17.5/32 dev rmne1 ${OURS}`,
  'address add 10.1.17.1/32 dev rmne1',
  'address add 10.1.17.1/32 dev rmne2',
  `route add 10.1.17.6/32 dev rmne2 ${OURS}`,
  'link set dev rmne2 down',
  'link set dev rmne2 up',
  `route add 10.1.17.6/32 dev rmne2 ${OURS}`,
  'link delete dev rmne1',
  'link delete dev rmne1',
  `route delete 10.1.17.5/32 dev rmne1 ${OURS}`,
  'link delete dev rmp1',
]

/** Tables for `iptables-restore --noflush`, one after the other. */
const TABLES: readonly string[] = [
  '*filter\n:ROMANA-A - [0:0]\n:ROMANA-B - [0:0]\n-A ROMANA-A -j DROP\n-A ROMANA-B -j ROMANA-A\n-I FORWARD 1 -j ROMANA-A\nCOMMIT\n',
  '*filter\n-A ROMANA-A -i rmn+ -j ACCEPT\n-A ROMANA-NOT-THERE -j DROP\nCOMMIT\n',
  '*filter\n-A ROMANA-A -j ROMANA-NOT-THERE\nCOMMIT\n',
  '*filter\n-D ROMANA-A -j ACCEPT\nCOMMIT\n',
  '*filter\n-X ROMANA-A\nCOMMIT\n',
  '*filter\n-I FORWARD 3 -j ROMANA-B\nCOMMIT\n',
  '*filter\n-I FORWARD 2 -j ROMANA-B\nCOMMIT\n',
  '*filter\n:FORWARD DROP [0:0]\n:ROMANA-A - [0:0]\n-A ROMANA-A -s 10.0.0.0/8 -j RETURN\nCOMMIT\n',
  '*filter\n:ROMANA-B - [0:0]\n-D FORWARD -j ROMANA-B\n-X ROMANA-B\nCOMMIT\n',
  '*nat\n:ROMANA-N - [0:0]\n-A ROMANA-N ! -o rmn+ -j MASQUERADE\nCOMMIT\n',
]

const namespaces = makeNetnsSet()
let kernel: KernelHost
beforeAll(async () => {
  kernel = await openKernelHost(namespaces, 'nft')
})
afterAll(() => namespaces.removeAll())

describe('the fake kernel of the unit tests', () => {
  test('says of each line of ip what the real one says, and carries the same then', async () => {
    const fake = makeFakeKernel()
    for (const line of IP_LINES) {
      const real = await kernel.netns.ip(line).then(
        () => 'done',
        (error) => refusalOf(reasonOf(error)),
      )
      const faked = outcomeOf(() => fake.ip(line))
      expect(`${line}: ${faked === 'done' ? faked : refusalOf(faked)}`).toBe(`${line}: ${real}`)
    }
    expect(showOurs(await fake.host.observe())).toBe(showOurs(await kernel.host.observe()))
  })

  test('takes and refuses the tables that the real one takes and refuses, and carries the same then', async () => {
    const fake = makeFakeKernel()
    for (const [index, text] of TABLES.entries()) {
      const real = await kernel.restore(text).then(
        () => 'taken',
        () => 'refused',
      )
      const faked = outcomeOf(() => fake.iptablesRestore(4, text)) === 'done' ? 'taken' : 'refused'
      expect(`table ${index}: ${faked}`).toBe(`table ${index}: ${real}`)
      expect(showRules(await fake.host.observe())).toBe(showRules(await kernel.host.observe()))
    }
  })

  test('throws on what it does not know', () => {
    const fake = makeFakeKernel()
    expect(() => fake.ip('route append 10.1.17.5/32 dev eth0')).toThrow(
      'The fake kernel does not know the line "ip route append 10.1.17.5/32 dev eth0"',
    )
    expect(() => fake.iptablesRestore(4, '*filter\n-A INPUT -m u32 --u32 "0" -j DROP\nCOMMIT\n')).toThrow(
      'The fake kernel does not know "--u32" in "-A INPUT -m u32 --u32 "0" -j DROP"',
    )
    expect(() => fake.iptablesRestore(4, '*mangle\nCOMMIT\n')).toThrow('does not know the table "*mangle"')
  })
})

function outcomeOf(change: () => void): string {
  try {
    change()
    return 'done'
  } catch (error) {
    return reasonOf(error)
  }
}

/** The words of `ip` itself, by which the code knows a link that is gone. Kernels differ in how they say the rest. */
function refusalOf(message: string): string {
  if (message.startsWith('The fake kernel does not know')) return message
  return /Cannot find device "\w+"/.exec(message)?.[0] ?? 'refused'
}

function showOurs({ links, linkAddresses, ownPolicyRules, ownRoutes }: ObservedHost): string {
  return [
    ...links
      .filter(({ name }) => name !== 'lo')
      .map(({ name, alias, mtu, peerIsHere }) => `link ${name} ${mtu} ${peerIsHere} "${alias}"`)
      .sort(),
    ...linkAddresses.map(({ link, address }) => `address ${address} dev ${link}`).sort(),
    ...ownPolicyRules.map((to) => `rule to ${to}`),
    ...ownRoutes.map((route) => `route ${formatRoute(route)}`).sort(),
  ].join('\n')
}

function showRules({ firewall }: ObservedHost): string {
  return firewall
    .flatMap(({ family, table, chains }) =>
      [...chains].map(([chain, rules]) => `IPv${family} ${table} ${chain}: ${rules.join('; ')}`),
    )
    .sort()
    .join('\n')
}
