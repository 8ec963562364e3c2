import { describe, expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import type { MainRoute, ObservedHost } from '../../host/host-state.ts'
import { findUnderlay } from '../../host/underlay.ts'

const ADDRESSES = ['lo 127.0.0.1/8', 'eth0 192.0.2.11/24', 'eth0 192.0.2.99/24', 'eth1 198.18.1.11/24']

function seen(defaults: readonly Omit<MainRoute, 'destination'>[]): ObservedHost {
  return {
    links: ['lo', 'eth0', 'eth1'].map((name, index) => ({
      name,
      alias: '',
      linkAddress: name === 'lo' ? '' : `02:42:00:00:00:0${index}`,
      mtu: 1500,
      up: true,
      peerIsHere: false,
    })),
    linkAddresses: [],
    ownPolicyRules: [],
    ownRoutes: [],
    hostSet: undefined,
    addresses: ADDRESSES.map((text) => {
      const [link = '', address = '', length] = text.split(/[ /]/)
      return { link, address: Ip.parse(address), prefixLength: Number(length), isGlobal: link !== 'lo' }
    }),
    mainRoutes: defaults.map((route) => ({ destination: Cidr.parse('0.0.0.0/0'), ...route })),
    firewall: [],
    forwarding: false,
    forwarding6: false,
    advertisedLinks: [],
    straySysctls: [],
    defaultLinks: [],
    foreignNetworks: [],
  }
}

const viaEth0 = { link: 'eth0', via: Ip.parse('192.0.2.1'), metric: 0 }

/** "192.0.2.11 eth0 02:42:00:00:00:01" */
function find(host: ObservedHost, setting?: string): string {
  const { address, link, linkAddress } = findUnderlay(
    host,
    setting === undefined ? undefined : Ip.parse(setting),
  )
  return `${address} ${link} ${linkAddress}`
}

describe('the address at which other hosts reach this one', () => {
  test('is that of the link of the default route', () => {
    expect(find(seen([viaEth0]))).toBe('192.0.2.11 eth0 02:42:00:00:00:01')
  })

  test('is the one that packets get by the default route, where the route says which', () => {
    expect(find(seen([{ ...viaEth0, source: Ip.parse('192.0.2.99') }]))).toBe(
      '192.0.2.99 eth0 02:42:00:00:00:01',
    )
  })

  test('is that of the default route with the lowest metric', () => {
    const backup = { link: 'eth1', via: Ip.parse('198.18.1.1'), metric: 100 }
    expect(find(seen([backup, viaEth0]))).toBe('192.0.2.11 eth0 02:42:00:00:00:01')
  })

  test('is beside it, over IPv6, the one that the route says, or the first that is not of this link alone', () => {
    const six = (text: string, isGlobal = true) => ({
      link: 'eth0',
      address: Ip.parse(text),
      prefixLength: 64,
      isGlobal,
    })
    const host = seen([viaEth0])
    const addresses = [...host.addresses, six('fe80::11', false), six('2001:db8::11'), six('2001:db8::99')]
    const find6 = (mainRoutes: readonly MainRoute[]) =>
      String(findUnderlay({ ...host, addresses, mainRoutes }, undefined).globalAddress6)
    expect(find6(host.mainRoutes)).toBe('2001:db8::11')
    const route = { ...viaEth0, destination: Cidr.parse('::/0'), source: Ip.parse('2001:db8::99') }
    expect(find6([...host.mainRoutes, route])).toBe('2001:db8::99')
    expect(findUnderlay(host, undefined).globalAddress6).toBeUndefined()
  })

  test('is that of the setting, whatever the default route', () => {
    expect(find(seen([viaEth0]), '198.18.1.11')).toBe('198.18.1.11 eth1 02:42:00:00:00:02')
  })

  test('cannot be one that the host does not have', () => {
    expect(() => find(seen([viaEth0]), '192.0.2.200')).toThrow(
      'Cannot tell at which address other hosts reach this one: ROMANA_UNDERLAY_ADDRESS says 192.0.2.200, which this host ' +
        'does not have. Set ROMANA_UNDERLAY_ADDRESS to one of its addresses: 192.0.2.11 on eth0, 192.0.2.99 on eth0, ' +
        '198.18.1.11 on eth1 (E_UNDERLAY)',
    )
  })

  test('cannot be told without a default route', () => {
    expect(() => find(seen([]))).toThrow('other hosts reach this one: it has no default route. Set')
  })

  test('cannot be told where the link of the default route has none', () => {
    expect(() => find(seen([{ ...viaEth0, link: 'ppp0' }]))).toThrow(
      'the link ppp0 of its default route has no address',
    )
  })
})
