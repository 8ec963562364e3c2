import { expect, test } from 'vitest'
import { type PortWish, parsePortWishes } from '../../network-driver/port-wishes.ts'

function parse(...bindings: readonly object[]): string[] {
  return parsePortWishes({ 'com.docker.network.portmap': bindings }).map(show)
}

function show({ protocol, hostAddress, hostPorts, containerPort }: PortWish): string {
  const ports = hostPorts === undefined ? 'any' : `${hostPorts.first}-${hostPorts.last}`
  const address = hostAddress === undefined ? 'all' : `${hostAddress}`
  return `${protocol} ${address} ${ports} -> ${containerPort}`
}

test.each<[string, object, string]>([
  [
    '-p 8080:80',
    { Proto: 6, IP: '', Port: 80, HostIP: '', HostPort: 8080, HostPortEnd: 8080 },
    'tcp all 8080-8080 -> 80',
  ],
  ['-p 8000-8010:80', { Proto: 6, Port: 80, HostPort: 8000, HostPortEnd: 8010 }, 'tcp all 8000-8010 -> 80'],
  ['-p 53/udp', { Proto: 17, Port: 53, HostPort: 0, HostPortEnd: 0 }, 'udp all any -> 53'],
  [
    '-p 127.0.0.1:8080:80/sctp',
    { Proto: 132, Port: 80, HostIP: '127.0.0.1', HostPort: 8080 },
    'sctp 127.0.0.1 8080-8080 -> 80',
  ],
  [
    '-p [::1]:8080:80',
    { Proto: 6, Port: 80, HostIP: '::1', HostPort: 8080, HostPortEnd: 8080 },
    'tcp ::1 8080-8080 -> 80',
  ],
])('%s', (_form, binding, wish) => {
  expect(parse(binding)).toEqual([wish])
})

test.each([{}, { 'com.docker.network.portmap': null }, { 'com.docker.network.portmap': [] }])(
  'none: %j',
  (options) => {
    expect(parsePortWishes(options)).toEqual([])
  },
)

test.each<[string, object, string]>([
  ['a host name', { Proto: 6, Port: 80, HostIP: 'here' }, 'E_PORT'],
  ['a protocol without ports', { Proto: 1, Port: 80 }, 'protocol 1 has no ports'],
  ['a port that is none', { Proto: 6, Port: 65536 }, 'E_REQUEST'],
])('%s is refused', (_what, binding, message) => {
  expect(() => parse(binding)).toThrow(message)
})
