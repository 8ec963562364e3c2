import { expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { type PortRule, planPortChains, readTranslation } from '../../host/port-rules.ts'

function portRule(change: Partial<PortRule> = {}): PortRule {
  return {
    protocol: 'tcp',
    hostAddress: Ip.parse('0.0.0.0'),
    hostPort: 8080,
    address: Ip.parse('10.1.17.5'),
    containerPort: 80,
    otherSegments: [],
    ...change,
  }
}

function textOf(...ports: readonly PortRule[]): string {
  return planPortChains({ variant: 'nft', family: 4 }, ports).text
}

function textOf6(...ports: readonly PortRule[]): string {
  return planPortChains({ variant: 'nft', family: 6 }, ports).text
}

const PORT6 = portRule({ hostAddress: Ip.parse('::'), address: Ip.parse('fd3a::5') })

test('the chains of a host without published ports are there and empty', () => {
  expect(textOf()).toBe(`*filter
:ROMANA-PORTS - [0:0]
COMMIT
*nat
:ROMANA-PORTS - [0:0]
:ROMANA-HAIRPIN - [0:0]
COMMIT
`)
})

test('a port is translated on all addresses of the host but loopback, and what was translated may pass', () => {
  expect(textOf(portRule())).toBe(`*filter
:ROMANA-PORTS - [0:0]
-A ROMANA-PORTS -d 10.1.17.5/32 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:ROMANA-PORTS - [0:0]
:ROMANA-HAIRPIN - [0:0]
-A ROMANA-PORTS -m addrtype ! --dst-type LOCAL -j RETURN
-A ROMANA-PORTS -d 127.0.0.0/8 -j RETURN
-A ROMANA-PORTS -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.17.5:80
-A ROMANA-HAIRPIN -s 10.1.17.5/32 -d 10.1.17.5/32 -j MASQUERADE
COMMIT
`)
})

test('a port of one address is translated there only', () => {
  expect(textOf(portRule({ protocol: 'udp', hostAddress: Ip.parse('192.0.2.1') }))).toContain(
    '-A ROMANA-PORTS -d 192.0.2.1/32 -p udp -m udp --dport 8080 -j DNAT --to-destination 10.1.17.5:80\n',
  )
})

test('a port of loopback is translated nowhere', () => {
  expect(textOf(portRule({ hostAddress: Ip.parse('127.0.0.1') }))).toBe(textOf())
})

test('two host ports of one container port make it pass once', () => {
  const text = textOf(portRule(), portRule({ hostPort: 8081 }))
  expect(text.match(/ACCEPT/g)).toHaveLength(1)
  expect(text.match(/DNAT/g)).toHaveLength(2)
})

test('callers whom the container would answer by another link get the address of its gateway', () => {
  expect(textOf(portRule({ otherSegments: ['10.0.18.0/255.0.255.0'] }))).toContain(
    '-A ROMANA-HAIRPIN -s 10.0.18.0/255.0.255.0 -d 10.1.17.5/32 -j MASQUERADE\n',
  )
})

test('an IPv6 port is translated by rules of its family only, and never for link-local callers', () => {
  expect(textOf(PORT6)).toBe(textOf())
  expect(textOf6(PORT6, portRule())).toBe(`*filter
:ROMANA-PORTS - [0:0]
-A ROMANA-PORTS -d fd3a::5/128 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:ROMANA-PORTS - [0:0]
:ROMANA-HAIRPIN - [0:0]
-A ROMANA-PORTS -m addrtype ! --dst-type LOCAL -j RETURN
-A ROMANA-PORTS -d ::1/128 -j RETURN
-A ROMANA-PORTS -s fe80::/10 -j RETURN
-A ROMANA-PORTS -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd3a::5]:80
-A ROMANA-HAIRPIN -s fd3a::5/128 -d fd3a::5/128 -j MASQUERADE
COMMIT
`)
})

test('a port of ::1 is translated nowhere, whatever family the container has', () => {
  for (const address of ['fd3a::5', '10.1.17.5']) {
    const port = portRule({ hostAddress: Ip.parse('::1'), address: Ip.parse(address) })
    expect(textOf6(port) + textOf(port)).toBe(textOf6() + textOf())
  }
})

test.each([
  ['0.0.0.0', '10.1.17.5'],
  ['192.0.2.1', '10.1.17.5'],
  ['::', 'fd3a::5'],
  ['2001:db8::1', 'fd3a:1c55:9e02:1:1:1:0:2'],
])('the rule of a port on %s tells all of it', (hostAddress, address) => {
  const { otherSegments: _unread, ...port } = portRule({
    hostAddress: Ip.parse(hostAddress),
    address: Ip.parse(address),
  })
  const family = port.address.family
  const { text } = planPortChains({ variant: 'nft', family }, [{ ...port, otherSegments: [] }])
  const rules = text.split('\n').map((line) => line.replace('-A ROMANA-PORTS ', ''))
  expect(rules.flatMap((rule) => readTranslation(rule) ?? [])).toEqual([port])
})
