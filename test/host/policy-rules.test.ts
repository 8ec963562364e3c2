import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { cellAround } from '../../address/prefixes.ts'
import { firewall } from '../../host/firewall.ts'
import { policiesOf } from '../../network-driver/policy-state.ts'
import { type Chains, readChains, walk } from '../support/iptables-walk.ts'
import { arrives, type OraclePolicy, type Packet, type Place } from '../support/policy-oracle.ts'
import { PACKETS, PLACES, policySets, recordsOf } from '../support/policy-world.ts'
import { PLANS } from './host-fixtures.ts'

/** @param cells where the rules go by masks. */
function rulesOf(
  policies: readonly OraclePolicy[],
  cells?: readonly Cidr[],
): ReadonlyMap<string, readonly string[]> {
  const tables = firewall(PLANS, {
    uplinks: ['eth0'],
    masquerade: true,
    isHostOpen: false,
    ...(cells && { cells }),
    ports: [],
    policies: policiesOf(recordsOf(policies)),
  })
  const filter = tables.find(({ family, table }) => family === 4 && table === 'filter')
  return new Map(filter?.chains.map(({ name, rules }) => [name, rules]))
}

function chainsOf(policies: readonly OraclePolicy[], cells?: readonly Cidr[]): Chains {
  return readChains(rulesOf(policies, cells))
}

function linkOf({ kind, isInternal }: Place): string {
  if (kind === 'endpoint') return isInternal === true ? 'rmni1' : 'rmne1'
  return kind === 'outside' ? 'eth0' : ''
}

/** By the rules. What returns is not Romana's: here it is dropped, but for what others send to the host. */
function passes(chains: Chains, from: Place, to: Place, packet: Packet): boolean {
  if (from.kind === 'host') return true
  const walked = {
    ...packet,
    source: from.address,
    destination: to.address,
    in: linkOf(from),
    out: linkOf(to),
  }
  return walk(chains, to.kind === 'host' ? 'ROMANA-INPUT' : 'ROMANA-FORWARD', walked) === 'ACCEPT'
}

/** Those of the endpoints. */
const CELLS: readonly Cidr[] = PLACES.filter(({ kind }) => kind === 'endpoint').map(({ address }) =>
  cellAround(PLANS.ipv4, Ip.parse(address)),
)

const PAIRS = PLACES.flatMap((from) => PLACES.map((to) => ({ from, to }))).filter(
  ({ from, to }) => from !== to && (from.kind === 'endpoint' || to.kind === 'endpoint'),
)

/** Lines such as "red-web2 -> red-db2 tcp 7000: passes" for every packet that is not judged as by the document. */
function wrongCells(
  policies: readonly OraclePolicy[],
  judge: typeof arrives = arrives,
  chains = chainsOf(policies),
): string[] {
  return PAIRS.flatMap(({ from, to }) =>
    PACKETS.flatMap((packet) => {
      const passed = passes(chains, from, to, packet)
      if (passed === judge(policies, from, to, packet)) return []
      const { protocol, port, type } = packet
      return [`${from.name} -> ${to.name} ${protocol} ${port || type}: ${passed ? 'passes' : 'is dropped'}`]
    }),
  )
}

describe('the rules of policies', () => {
  test('judge every packet as the document says', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(policySets, (policies) => {
        expect(wrongCells(policies)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  test('judge so by masks too, on a kernel that cannot compare the addresses of a packet', {
    timeout: 60_000,
  }, () => {
    fc.assert(
      fc.property(policySets, (policies) => {
        expect(wrongCells(policies, arrives, chainsOf(policies, CELLS))).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  test('are missing where there is no policy', () => {
    expect([...chainsOf([]).keys()].join(' ')).toBe('ROMANA-FORWARD ROMANA-PORTS ROMANA-HOST ROMANA-INPUT')
  })

  test('differ from a wrong oracle: the comparison compares', () => {
    const deny: OraclePolicy[] = [
      { name: 'a', direction: 'ingress', appliesTo: [{ tenant: 'red', segment: 'web' }], default: 'deny' },
    ]
    expect(wrongCells(deny, (_policies, from, to, packet) => arrives([], from, to, packet))).toHaveLength(
      2 * PACKETS.length,
    )
  })

  test('read like this', () => {
    const policies: OraclePolicy[] = [
      {
        name: 'db-from-web',
        direction: 'ingress',
        appliesTo: [{ tenant: 'red', segment: 'db' }],
        default: 'deny',
        peers: [
          { tenant: 'red', segment: 'web' },
          { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] },
        ],
        rules: [
          { protocol: 'tcp', ports: [5432, '6000-6010'] },
          { protocol: 'icmp', types: [8] },
        ],
      },
      {
        name: 'red-out',
        direction: 'egress',
        appliesTo: [{ tenant: 'red' }],
        default: 'deny',
        peers: [{ peer: 'host' }, { tenant: 'red' }],
      },
    ]
    const text = [...rulesOf(policies)]
      .filter(([name]) => !['ROMANA-INPUT', 'ROMANA-PERMITTED'].includes(name))
      .flatMap(([name, rules]) =>
        rules.slice(0, name === 'ROMANA-FORWARD' ? 2 : 9).map((rule) => `${name.slice(7)}: ${rule}`),
      )
    expect(text.join('\n')).toBe(`EGRESS: -s 10.0.16.0/255.0.240.0 -g ROMANA-OUT-1
OUT-1: -m conntrack --ctstate ESTABLISHED -j RETURN
OUT-1: -d 10.0.16.0/255.0.240.0 -j RETURN
OUT-1: -j DROP
INGRESS: -d 10.0.16.0/255.0.240.0 -g ROMANA-IN-1
IN-1: -d 10.0.18.0/255.0.255.0 -g ROMANA-IN-1-2
IN-1-2: -m conntrack --ctstate ESTABLISHED -j RETURN
IN-1-2: ! -s 10.0.0.0/8 -m conntrack --ctstate RELATED -j RETURN
IN-1-2: -s 10.0.17.0/255.0.255.0 -p tcp -m multiport --dports 5432,6000:6010 -g ROMANA-PERMITTED
IN-1-2: -s 10.0.17.0/255.0.255.0 -p icmp -m icmp --icmp-type 8 -g ROMANA-PERMITTED
IN-1-2: -s 192.0.2.0/25 -p tcp -m multiport --dports 5432,6000:6010 -g ROMANA-PERMITTED
IN-1-2: -s 192.0.2.0/25 -p icmp -m icmp --icmp-type 8 -g ROMANA-PERMITTED
IN-1-2: -j DROP
TO-HOST: -s 10.0.16.0/255.0.240.0 -g ROMANA-HOST-1
HOST-1: -i rmne+ -j ACCEPT
HOST-1: -d 10.0.16.0/255.0.240.0 -j RETURN
HOST-1: -j DROP
FORWARD: -s 10.0.0.0/8 -j ROMANA-EGRESS
FORWARD: -d 10.0.0.0/8 -j ROMANA-INGRESS
HOST: -m conntrack --ctstate ESTABLISHED -j ACCEPT
HOST: -s 0.0.0.0/8 -j DROP
HOST: -p icmp -m conntrack --ctstate INVALID,RELATED -j DROP
HOST: -s 10.0.0.0/8 -i rmn+ -j ROMANA-TO-HOST
HOST: -i rmn+ -p icmp -m icmp --icmp-type 8 -j ACCEPT
HOST: -i rmne+ -p udp -m udp --dport 53 -j ACCEPT
HOST: -i rmne+ -p tcp -m tcp --dport 53 -j ACCEPT
HOST: -j DROP`)
  })
})
