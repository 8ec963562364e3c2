import { describe, expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import {
  hostStoreRules,
  leadsToStore,
  type StoreAddress,
  storeRules,
  withPlaces,
} from '../../host/store-rules.ts'

const PLAN = Cidr.parse('10.0.0.0/8')
const PLAN6 = Cidr.parse('fd3a:1c55:9e02::/48')

/** "192.0.2.21 2379 here": a member; "- 2379" is one whose name leads nowhere. */
function members(...texts: readonly string[]): StoreAddress[] {
  return texts.map((text) => {
    const [address = '', port, here] = text.split(' ')
    return {
      ...(address !== '-' && { address: Ip.parse(address) }),
      port: Number(port),
      isHere: here === 'here',
    }
  })
}

const STORES = members('192.0.2.1 2379 here', '192.0.2.22 2379', '2001:db8::21 2379', '- 2479')

describe('the rules that keep endpoints from the store', () => {
  test('go by where a flow was sent first and where it leads, and at its own host by the port', () => {
    expect(storeRules(PLAN, STORES).join('\n')).toBe(
      `-s 10.0.0.0/8 -d 192.0.2.1/32 -p tcp -m tcp --dport 2379 -j DROP
-s 10.0.0.0/8 -p tcp -m conntrack --ctorigdst 192.0.2.1 --ctorigdstport 2379 --ctdir ORIGINAL -j DROP
-s 10.0.0.0/8 -d 192.0.2.22/32 -p tcp -m tcp --dport 2379 -j DROP
-s 10.0.0.0/8 -p tcp -m conntrack --ctorigdst 192.0.2.22 --ctorigdstport 2379 --ctdir ORIGINAL -j DROP
-s 10.0.0.0/8 -p tcp -m conntrack --ctstate DNAT --ctorigdstport 2379 --ctdir ORIGINAL -j DROP`,
    )
    expect(storeRules(PLAN6, STORES).join('\n')).toBe(
      `-s fd3a:1c55:9e02::/48 -d 2001:db8::21/128 -p tcp -m tcp --dport 2379 -j DROP
-s fd3a:1c55:9e02::/48 -p tcp -m conntrack --ctorigdst 2001:db8::21 --ctorigdstport 2379 --ctdir ORIGINAL -j DROP
-s fd3a:1c55:9e02::/48 -p tcp -m conntrack --ctstate DNAT --ctorigdstport 2379 --ctdir ORIGINAL -j DROP`,
    )
  })

  test('close each port of the store at the host, also that of a name that leads nowhere', () => {
    expect(hostStoreRules(STORES).join('\n')).toBe(`-p tcp -m tcp --dport 2379 -j DROP
-p tcp -m conntrack --ctorigdstport 2379 --ctdir ORIGINAL -j DROP
-p tcp -m tcp --dport 2479 -j DROP
-p tcp -m conntrack --ctorigdstport 2479 --ctdir ORIGINAL -j DROP`)
  })
})

test('a member is on this host when the host has its address, or it is that of the loopback', () => {
  const host = {
    addresses: [{ link: 'eth0', address: Ip.parse('192.0.2.1'), prefixLength: 24, isGlobal: true }],
  }
  const stores = members('192.0.2.1 1', '192.0.2.2 2', '127.0.1.1 3', '::1 4', '- 5')
  expect(
    withPlaces(stores, host)
      .filter(({ isHere }) => isHere)
      .map(({ port }) => port),
  ).toEqual([1, 3, 4])
})

/** "192.0.2.1 2379 > 172.17.0.2 7000": sent first to the left, answered by the right. */
function leads(text: string, isToHost = false, protocol = 'tcp'): boolean {
  const [destination = '', port, , server = destination, serverPort = port] = text.split(' ')
  const [from, to, by] = ['10.1.17.2', destination, server].map((address) => Ip.parse(address))
  if (from === undefined || to === undefined || by === undefined) throw new Error('No address')
  const ports = { port: Number(port), serverPort: Number(serverPort) }
  return leadsToStore(STORES, { protocol, source: from, destination: to, server: by, ...ports }, isToHost)
}

test('a flow leads to the store by the same words', () => {
  expect([
    leads('192.0.2.22 2379'),
    leads('192.0.2.1 2379 > 172.17.0.2 7000'),
    leads('10.1.17.1 2379 > 172.17.0.2 2379'),
    leads('10.1.17.1 80 > 192.0.2.22 2379'),
    leads('192.0.2.1 2479 > 192.0.2.1 9', true),
    leads('10.1.17.1 9 > 10.1.17.1 2379', true),
  ]).toEqual([true, true, true, true, true, true])
  expect([
    leads('192.0.2.22 2380'),
    leads('192.0.2.22 2379', false, 'udp'),
    leads('198.51.100.9 2379'),
    leads('192.0.2.1 80 > 172.17.0.2 2379'),
    leads('192.0.2.1 80', true),
  ]).toEqual([false, false, false, false, false])
})
