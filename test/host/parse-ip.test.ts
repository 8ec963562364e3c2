import { describe, expect, test } from 'vitest'
import type { ForeignNetwork, LinkAddress } from '../../host/host-state.ts'
import {
  parseAddresses,
  parseLinks,
  parseMainRoutes,
  parseOwnPolicyRules,
  parseOwnRoutes,
} from '../../host/parse-ip.ts'
import { formatRoute } from '../../host/plan-host.ts'

// The texts are what iproute2 6.1 printed, less what nobody reads.

const showLinkAddress = ({ link, address }: LinkAddress) => `${address} dev ${link}`
const showForeign = ({ cidr, seenAs }: ForeignNetwork) => `${cidr}: ${seenAs}`

describe('ip -json link show', () => {
  test('tells name, alias, MTU, and whether the link is up and the other end of the pair is here', () => {
    const text = `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536},
      {"ifindex":2,"link":"rmne1","ifname":"rmp1","flags":["BROADCAST","M-DOWN"],"mtu":1400},
      {"ifindex":3,"link":"rmp1","ifname":"rmne1","flags":["NO-CARRIER","UP"],"mtu":1400,"ifalias":"romana1 3fa4 9bd0 10.1.17.5 blue web"},
      {"ifindex":5,"link_index":4,"ifname":"rmne2","flags":[],"mtu":1500,"link_netnsid":0}]`
    const shown = parseLinks(text).map(
      ({ name, alias, mtu, up, peerIsHere }) =>
        `${name} ${mtu} ${up ? 'up' : 'down'} ${peerIsHere ? 'pair' : 'single'} "${alias}"`,
    )
    expect(shown.join('\n')).toBe(
      [
        'lo 65536 up single ""',
        'rmp1 1400 down pair ""',
        'rmne1 1400 up pair "romana1 3fa4 9bd0 10.1.17.5 blue web"',
        'rmne2 1500 down single ""',
      ].join('\n'),
    )
  })

  test.each(['', '\n', '[]', '[ ]'])('may list nothing: %j', (text) => expect(parseLinks(text)).toEqual([]))

  test('that is cut off is an error, not an empty list', () => {
    expect(() => parseLinks('[{"ifname":"lo"')).toThrow()
    expect(() => parseLinks('[{"mtu":1500,"flags":[]}]')).toThrow()
  })
})

describe('ip -json address show', () => {
  const text = `[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","prefixlen":8},{"local":"::1","prefixlen":128}]},
    {"ifname":"rmp1","addr_info":[{"local":"10.1.17.5","prefixlen":32}]},
    {"ifname":"rmne1","addr_info":[{"local":"10.1.17.1","prefixlen":32}]},
    {"ifname":"rmne2","addr_info":[]},
    {"ifname":"br0","addr_info":[{"local":"192.0.2.1","prefixlen":24},{"local":"2001:db8::1","prefixlen":64}]},
    {"ifname":"ppp0","addr_info":[{"local":"192.0.2.7","address":"192.0.2.8","prefixlen":32}]},{}]`

  test('gives the addresses of host links as ours', () => {
    expect(parseAddresses(text).own.map(showLinkAddress)).toEqual(['10.1.17.1 dev rmne1'])
  })

  test('gives the networks of all other links but container links as foreign', () => {
    expect(parseAddresses(text).foreign.map(showForeign).join('\n')).toBe(
      [
        '127.0.0.0/8: address 127.0.0.1/8 on lo',
        '::1/128: address ::1/128 on lo',
        '192.0.2.0/24: address 192.0.2.1/24 on br0',
        '2001:db8::/64: address 2001:db8::1/64 on br0',
        '192.0.2.7/32: address 192.0.2.7/32 on ppp0',
      ].join('\n'),
    )
  })
})

describe('ip -json route show table all protocol 82', () => {
  test('gives the routes of our table, and not those that somebody put elsewhere with our protocol', () => {
    const text = `[{"type":"unreachable","dst":"10.0.0.0/8","table":"8200","flags":[]},
      {"type":"blackhole","dst":"10.1.0.0/16","table":"8200","flags":[]},
      {"dst":"10.1.17.5","dev":"rmne1","table":"8200","scope":"link","flags":["linkdown"]},
      {"type":"blackhole","dst":"10.99.0.0/16","table":"77","flags":[]},
      {"dst":"10.98.0.0/16","dev":"eth0","scope":"link","flags":[]}]`
    expect(parseOwnRoutes(text, 4).map(formatRoute).join('\n')).toBe(
      [
        'unreachable 10.0.0.0/8 table 8200 protocol 82',
        'blackhole 10.1.0.0/16 table 8200 protocol 82',
        '10.1.17.5/32 dev rmne1 table 8200 protocol 82',
      ].join('\n'),
    )
  })

  test('leaves out the length of an IPv6 address too', () => {
    const text = '[{"dst":"fd00::5","dev":"rmne1","table":"8200","metric":1024,"flags":[],"pref":"medium"}]'
    expect(parseOwnRoutes(text, 6).map(formatRoute)).toEqual(['fd00::5/128 dev rmne1 table 8200 protocol 82'])
  })
})

describe('ip -json route show table main', () => {
  const text = `[{"dst":"default","gateway":"192.0.2.254","dev":"br0","flags":[]},
    {"dst":"default","gateway":"198.51.100.1","dev":"wan1","metric":100,"flags":[]},
    {"dst":"192.0.2.0/24","dev":"br0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.1","flags":[]},
    {"dst":"198.51.100.0/24","flags":[],"nexthops":[{"gateway":"192.0.2.253","dev":"br0","weight":1,"flags":[]}]},
    {"type":"unreachable","dst":"203.0.113.7","flags":[]}]`

  test('gives the links of the default routes', () => {
    expect(parseMainRoutes(text, 4).defaultLinks).toEqual(['br0', 'wan1'])
  })

  test('gives all links of a default route with several next hops', () => {
    const multipath = `[{"dst":"default","flags":[],"nexthops":[
      {"gateway":"192.0.2.254","dev":"wan0","weight":1,"flags":[]},
      {"gateway":"198.51.100.1","dev":"wan1","weight":1,"flags":[]}]}]`
    expect(parseMainRoutes(multipath, 4).defaultLinks).toEqual(['wan0', 'wan1'])
  })

  test('gives no link for a default route that leads nowhere', () => {
    expect(parseMainRoutes('[{"type":"unreachable","dst":"default","flags":[]}]', 4).defaultLinks).toEqual([])
  })

  test('gives all other destinations as foreign', () => {
    expect(parseMainRoutes(text, 4).foreign.map(showForeign).join('\n')).toBe(
      [
        '192.0.2.0/24: route 192.0.2.0/24 dev br0',
        '198.51.100.0/24: route 198.51.100.0/24',
        '203.0.113.7/32: route 203.0.113.7',
      ].join('\n'),
    )
  })

  test('gives IPv6 destinations as foreign too', () => {
    const routes =
      '[{"dst":"2001:db8::/64","dev":"br0"},{"dst":"default","gateway":"2001:db8::ff","dev":"br0"}]'
    const { defaultLinks, foreign } = parseMainRoutes(routes, 6)
    expect(defaultLinks).toEqual(['br0'])
    expect(foreign.map(showForeign)).toEqual(['2001:db8::/64: route 2001:db8::/64 dev br0'])
  })
})

test('ip -json rule show gives the destinations of rules with our priority, table and protocol', () => {
  const text = `[{"priority":0,"src":"all","table":"local"},
    {"priority":77,"src":"all","dst":"10.7.0.0","dstlen":16,"table":"8200","protocol":"82"},
    {"priority":8200,"src":"all","dst":"10.0.0.0","dstlen":8,"table":"8200","protocol":"82"},
    {"priority":8200,"src":"all","dst":"10.0.0.1","table":"8200","protocol":"82"},
    {"priority":8200,"src":"all","dst":"10.6.0.0","dstlen":16,"table":"77","protocol":"82"},
    {"priority":8200,"src":"all","dst":"10.5.0.0","dstlen":16,"table":"8200"},
    {"priority":8200,"src":"all","table":"8200","protocol":"82"},
    {"priority":32766,"src":"all","table":"main"}]`
  expect(parseOwnPolicyRules(text).map(String)).toEqual(['10.0.0.0/8', '10.0.0.1/32'])
})
