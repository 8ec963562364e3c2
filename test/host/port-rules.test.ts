import { expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { type PortRule, planPortChains } from '../../host/port-rules.ts'

function portRule(change: Partial<PortRule> = {}): PortRule {
  return {
    protocol: 'tcp',
    hostAddress: Ip.parse('0.0.0.0'),
    hostPort: 8080,
    address: Ip.parse('10.1.17.5'),
    containerPort: 80,
    otherCells: [],
    ...change,
  }
}

function textOf(...ports: readonly PortRule[]): string {
  return planPortChains('nft', ports).text
}

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
  expect(textOf(portRule({ otherCells: [Cidr.parse('10.1.18.0/24')] }))).toContain(
    '-A ROMANA-HAIRPIN -s 10.1.18.0/24 -d 10.1.17.5/32 -j MASQUERADE\n',
  )
})
