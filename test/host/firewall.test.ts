import { describe, expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { type FirewallOptions, firewall } from '../../host/firewall.ts'
import { PLANS } from './host-fixtures.ts'

/** Tables, jumps and rules in the order in which packets meet them. */
function show(plans = PLANS, options: Partial<FirewallOptions> = {}): string {
  const usual = { uplinks: ['eth0'], masquerade: true, isHostOpen: false, ports: [], policies: [] }
  return firewall(plans, { ...usual, ...options })
    .flatMap(({ family, table, chains, jumps }) => [
      `IPv${family} ${table}`,
      ...jumps.map(({ from, to }) => `  ${from}: -j ${to}`),
      ...chains.flatMap(({ name, rules }) => rules.map((rule) => `  ${name}: ${rule}`)),
    ])
    .join('\n')
}

const SEGMENT_FILTER =
  '8,32 0 0 16,84 0 0 4278255360,7 0 0 0,32 0 0 12,84 0 0 4278255360,29 0 1 0,6 0 0 65535,6 0 0 0'

test('the rules of the default plan are these', () => {
  expect(show()).toBe(`IPv4 raw
  PREROUTING: -j ROMANA-PREROUTING
  ROMANA-PREROUTING: -d 127.0.0.0/8 -i rmn+ -j DROP
  ROMANA-PREROUTING: -i rmn+ -m rpfilter --invert -j DROP
  ROMANA-PREROUTING: -s 10.0.0.0/8 -m rpfilter --invert -j DROP
IPv4 filter
  FORWARD: -j ROMANA-FORWARD
  INPUT: -j ROMANA-INPUT
  ROMANA-FORWARD: -s 10.0.0.0/8 -m bpf --bytecode "${SEGMENT_FILTER}" -j ACCEPT
  ROMANA-FORWARD: -i rmni+ -j DROP
  ROMANA-FORWARD: -o rmni+ -j DROP
  ROMANA-FORWARD: -s 10.0.0.0/8 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
  ROMANA-FORWARD: ! -s 10.0.0.0/8 -d 10.0.0.0/8 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
  ROMANA-FORWARD: -s 10.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j ACCEPT
  ROMANA-FORWARD: ! -s 10.0.0.0/8 -d 10.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j ACCEPT
  ROMANA-FORWARD: -s 10.0.0.0/8 -p icmp -m conntrack --ctstate INVALID,RELATED -j DROP
  ROMANA-FORWARD: ! -d 10.0.0.0/8 -p icmp -m conntrack --ctstate RELATED --ctorigsrc 10.0.0.0/8 -j DROP
  ROMANA-FORWARD: ! -d 10.0.0.0/8 -p icmp -m conntrack --ctstate RELATED --ctreplsrc 10.0.0.0/8 -j DROP
  ROMANA-FORWARD: ! -s 10.0.0.0/8 -d 10.0.0.0/8 -m conntrack --ctstate RELATED --ctorigsrc 10.0.0.0/8 --ctorigdst 10.0.0.0/8 -j DROP
  ROMANA-FORWARD: ! -s 10.0.0.0/8 -d 10.0.0.0/8 -i eth0 -m conntrack --ctstate RELATED -j ACCEPT
  ROMANA-FORWARD: -d 10.0.0.0/8 -m conntrack --ctstate DNAT -j ROMANA-PORTS
  ROMANA-FORWARD: -d 10.0.0.0/8 -j DROP
  ROMANA-FORWARD: -s 10.0.0.0/8 -o eth0 -m conntrack --ctstate INVALID -j DROP
  ROMANA-FORWARD: -s 10.0.0.0/8 -o eth0 -j ACCEPT
  ROMANA-FORWARD: -s 10.0.0.0/8 -m conntrack ! --ctstate DNAT -j DROP
  ROMANA-HOST: -m conntrack --ctstate ESTABLISHED -j ACCEPT
  ROMANA-HOST: -s 0.0.0.0/8 -j DROP
  ROMANA-HOST: -i rmn+ -p icmp -m icmp --icmp-type 8 -j ACCEPT
  ROMANA-HOST: -i rmne+ -p udp -m udp --dport 53 -j ACCEPT
  ROMANA-HOST: -i rmne+ -p tcp -m tcp --dport 53 -j ACCEPT
  ROMANA-HOST: -j DROP
  ROMANA-INPUT: -i lo -j RETURN
  ROMANA-INPUT: -i rmn+ -j ROMANA-HOST
  ROMANA-INPUT: -s 10.0.0.0/8 -j ROMANA-HOST
  ROMANA-INPUT: -d 10.0.0.0/8 -j ROMANA-HOST
IPv4 nat
  PREROUTING: -j ROMANA-PORTS
  OUTPUT: -j ROMANA-PORTS
  POSTROUTING: -j ROMANA-POSTROUTING
  ROMANA-POSTROUTING: -d 10.0.0.0/8 -m conntrack --ctstate DNAT -j ROMANA-HAIRPIN
  ROMANA-POSTROUTING: -s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE
IPv6 raw
  PREROUTING: -j ROMANA-PREROUTING
  ROMANA-PREROUTING: -i rmn+ -j DROP`)
})

describe('the rules', () => {
  test('of another plan differ in its prefix and its mask only', () => {
    const other = { ipv4: parsePlan('192.168.0.0/16 0/2/2/12') }
    const expected = show().replaceAll('10.0.0.0/8', '192.168.0.0/16').replaceAll('4278255360', '4294963200')
    expect(show(other)).toBe(expected)
  })

  test('let plan addresses out of each uplink, and of nothing where there is none', () => {
    const outLines = (uplinks: readonly string[]) =>
      show(PLANS, { uplinks, masquerade: false })
        .split('\n')
        .filter((line) => line.includes('-s 10.0.0.0/8 -o '))
        .map((line) => line.trim())
    expect(outLines(['wan0', 'wan1'])).toEqual([
      'ROMANA-FORWARD: -s 10.0.0.0/8 -o wan0 -j ACCEPT',
      'ROMANA-FORWARD: -s 10.0.0.0/8 -o wan1 -j ACCEPT',
    ])
    expect(outLines([])).toEqual([])
  })

  test('without masquerade let plan addresses out as they are', () => {
    const without = show(PLANS, { masquerade: false }).split('\n')
    const missing = show()
      .split('\n')
      .filter((line) => !without.includes(line))
    expect(
      missing.join('\n'),
    ).toBe(`  ROMANA-FORWARD: -s 10.0.0.0/8 -o eth0 -m conntrack --ctstate INVALID -j DROP
  ROMANA-POSTROUTING: -s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE`)
  })

  test('of an open host let its endpoints in, but those of internal networks, and nobody to the store', () => {
    const stores = ['192.0.2.21', '192.0.2.22'].map((text) => ({ address: Ip.parse(text), port: 2379 }))
    const cluster = { ways: [], unusedPlans: [], stores }
    const open = show(PLANS, { cluster, isHostOpen: true })
    const closed = show(PLANS, { cluster }).split('\n')
    expect(
      open
        .split('\n')
        .filter((line) => !closed.includes(line))
        .join('\n'),
    ).toBe(`  ROMANA-HOST: -p icmp -m conntrack --ctstate INVALID,RELATED -j DROP
  ROMANA-HOST: -i rmne+ -j ACCEPT`)
    expect(open).toContain(`  ROMANA-HOST: -p tcp -m tcp --dport 2379 -j DROP
  ROMANA-HOST: -p tcp -m conntrack --ctorigdstport 2379 --ctdir ORIGINAL -j DROP
  ROMANA-HOST: -m conntrack --ctstate ESTABLISHED -j ACCEPT`)
  })

  test('keep endpoints from the store before all else', () => {
    const stores = [{ address: Ip.parse('192.0.2.21'), port: 2379 }]
    const lines = show(PLANS, { cluster: { ways: [], unusedPlans: [], stores } }).split('\n')
    const forward = lines.filter((line) => line.startsWith('  ROMANA-FORWARD: '))
    expect(forward.filter((line) => line.includes('192.0.2.21'))).toEqual(forward.slice(0, 2))
  })

  test('differ by masks in the rule of segments and its chain only', () => {
    const masks = show(PLANS, { cells: [Cidr.parse('10.1.17.0/24')] }).split('\n')
    const bpf = show().split('\n')
    expect([
      ...bpf.filter((line) => !masks.includes(line)),
      ...masks.filter((line) => !bpf.includes(line)),
    ]).toEqual([
      `  ROMANA-FORWARD: -s 10.0.0.0/8 -m bpf --bytecode "${SEGMENT_FILTER}" -j ACCEPT`,
      '  ROMANA-SEGMENTS: -s 10.0.17.0/255.0.255.0 -d 10.0.17.0/255.0.255.0 -j ACCEPT',
      '  ROMANA-FORWARD: -s 10.0.0.0/8 -d 10.0.0.0/8 -j ROMANA-SEGMENTS',
    ])
  })
})
