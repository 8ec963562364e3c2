import { describe, expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { type NatOptions, natRules, readNat, translatedSources } from '../../host/nat-rules.ts'
import { parseAddresses, parseMainRoutes } from '../../host/parse-ip.ts'
import { sourceChoices } from '../../host/source-choice.ts'

const PLAN = Cidr.parse('10.0.0.0/8')
const PLAN6 = Cidr.parse('fd3a:1c55:9e02::/48')
const CELLS = ['10.1.17.0/24', 'fd3a:1c55:9e02:1:1:1::/96'].map((cell) => Cidr.parse(cell))

function rules(options: Partial<NatOptions>, { plan = PLAN, knowsHosts = false } = {}): string {
  return natRules(plan, knowsHosts, { uplinks: ['eth0'], masquerade: true, ...options }).join('\n')
}

describe('what leaves the plan', () => {
  test('gets an address of the host, but for other hosts', () => {
    expect(rules({}, { knowsHosts: true })).toBe(`-s 10.0.0.0/8 -m set --match-set ROMANA-HOSTS dst -j RETURN
-s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE`)
  })

  test('does not where a segment says so', () => {
    expect(rules({ natExceptions: CELLS })).toBe(`-s 10.1.17.0/24 -j RETURN
-s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE`)
    expect(rules({ natExceptions: CELLS }, { plan: PLAN6 })).toBe(`-s fd3a:1c55:9e02:1:1:1::/96 -j RETURN
-s fd3a:1c55:9e02::/48 ! -d fd3a:1c55:9e02::/48 ! -o rmn+ -j MASQUERADE`)
  })

  test('does only where a segment says so, when the plugin says no', () => {
    expect(rules({ masquerade: false }, { knowsHosts: true })).toBe('')
    const some = { masquerade: false, natExceptions: CELLS }
    expect(
      rules(some, { knowsHosts: true }),
    ).toBe(`-s 10.0.0.0/8 -m set --match-set ROMANA-HOSTS dst -j RETURN
-s 10.1.17.0/24 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE`)
    expect(translatedSources(PLAN, { uplinks: [], ...some }).join(' ')).toBe('10.1.17.0/24')
  })
})

test.each([
  [true, false],
  [false, true],
])('masquerade %s: the rules tell of which segments it is otherwise', (masquerade, nat) => {
  const texts = rules({ masquerade, natExceptions: CELLS }, { knowsHosts: true }).split('\n')
  expect(readNat(texts, Cidr.parse('10.1.17.0/24'))).toBe(nat)
  expect(readNat(texts, Cidr.parse('10.1.18.0/24'))).toBeUndefined()
})

describe('the source is that of the host itself', () => {
  /** Of a host whose link eth0 has these addresses and routes, as `ip -json` tells them. */
  function choicesOf(addresses: readonly string[], ...routes: readonly object[]) {
    const addr_info = addresses.map((text) => {
      const [local, prefixlen] = text.split('/')
      return { local, prefixlen: Number(prefixlen), scope: 'global' }
    })
    const seen = parseAddresses(JSON.stringify([{ ifname: 'eth0', addr_info }])).others
    const mainRoutes = parseMainRoutes(
      JSON.stringify(routes.map((route) => ({ type: 'unicast', dev: 'eth0', flags: [], ...route }))),
      4,
    ).routes
    return sourceChoices({ addresses: seen, mainRoutes })
  }
  const NET = { dst: '192.0.2.0/24', prefsrc: '192.0.2.1' }
  const GATEWAY = { dst: 'default', gateway: '192.0.2.254' }

  test.each([
    ['names none', GATEWAY],
    ['names the one that masquerading takes', { ...GATEWAY, prefsrc: '192.0.2.1' }],
  ])('and no rule is needed where its default route %s', (_what, route) => {
    expect(choicesOf(['192.0.2.1/24', '192.0.2.9/24'], NET, route)).toEqual([])
  })

  test('which is the first of the next hop’s network', () => {
    const addresses = ['198.51.100.1/24', '192.0.2.1/24']
    expect(choicesOf(addresses, NET, { ...GATEWAY, prefsrc: '192.0.2.1' })).toEqual([])
    expect(choicesOf(addresses, NET, { ...GATEWAY, prefsrc: '198.51.100.1' })).not.toEqual([])
  })

  test('where routes name others: each destination its own', () => {
    const sources = choicesOf(['192.0.2.1/24', '192.0.2.9/24'], NET, { ...GATEWAY, prefsrc: '192.0.2.9' })
    expect(rules({ sources })).toBe(`-s 10.0.0.0/8 -d 192.0.2.0/24 -o eth0 -j MASQUERADE
-s 10.0.0.0/8 ! -d 10.0.0.0/8 -o eth0 -j SNAT --to-source 192.0.2.9
-s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE`)
    expect(rules({ sources, uplinks: ['eth1'] })).toBe(rules({}))
    expect(rules({ sources }, { plan: PLAN6 })).toBe(rules({}, { plan: PLAN6 }))
  })
})
