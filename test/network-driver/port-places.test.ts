import { describe, expect, test } from 'vitest'
import { type Family, formatAddressPort, Ip } from '../../address/ip.ts'
import { fulfil, type PlacedWish, placeWishes, portFamilies } from '../../network-driver/port-places.ts'
import { parsePortWishes } from '../../network-driver/port-wishes.ts'

const BOTH = { address: Ip.parse('10.1.17.2'), address6: Ip.parse('fd3a::2') }
const IPV4 = { address: Ip.parse('10.1.17.3') }
const IPV6 = { address: Ip.parse('fd3a::4') }

function wishesOf(HostIP: string, HostPort = 8080, HostPortEnd = HostPort) {
  return parsePortWishes({
    'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostIP, HostPort, HostPortEnd }],
  })
}

/** The addresses of the one wish. */
function placesOf(HostIP: string, own: readonly Family[], elsewhere: readonly Family[] = []): string {
  return placeWishes(wishesOf(HostIP), { own, elsewhere })
    .flatMap(({ hostAddresses }) => hostAddresses)
    .join(' ')
}

describe('a wish', () => {
  test.each<[string, readonly Family[], string]>([
    ['', [4, 6], '0.0.0.0 ::'],
    ['', [4], '0.0.0.0'],
    ['', [6], '::'],
    ['0.0.0.0', [4, 6], '0.0.0.0'],
    ['::', [4, 6], '::'],
    ['2001:db8::1', [4, 6], '2001:db8::1'],
    ['::1', [4], '::1'],
    ['127.0.0.1', [6], '127.0.0.1'],
  ])('for "%s" of a container with %j is at %s', (hostAddress, own, places) => {
    expect(placesOf(hostAddress, own)).toBe(places)
  })

  test.each<[string, Family]>([
    ['2001:db8::1', 4],
    ['::', 4],
    ['192.0.2.1', 6],
  ])('for %s of a container with IPv%i alone is refused', (hostAddress, family) => {
    expect(() => placesOf(hostAddress, [family])).toThrow(
      /^Cannot publish port 80\/tcp: .* is an IPv\d address, and the container has none on this network. Change -p \(E_PORT\)$/,
    )
  })

  test('is left out where another endpoint of the container is the way out', () => {
    expect(placesOf('', [4, 6], [6])).toBe('0.0.0.0')
    expect(placesOf('::', [4], [6])).toBe('')
    expect(placesOf('::1', [4], [6])).toBe('')
    expect(placesOf('192.0.2.1', [6], [4])).toBe('')
  })
})

describe('an endpoint', () => {
  test.each([
    ['of both families takes both from one of both', BOTH, [BOTH], [], [4, 6]],
    ['of both families leaves IPv4 to one that has nothing else', BOTH, [IPV4], [], [6]],
    ['of one family takes it from all others', IPV4, [BOTH, IPV4], [], [4]],
    ['takes nothing that it is told is elsewhere', BOTH, [], [6], [4]],
    ['of another family leaves the others alone', IPV6, [IPV4], [], [6]],
  ] as const)('%s', (_what, endpoint, others, told, taken) => {
    expect(portFamilies(endpoint, others, told).taken).toEqual(taken)
  })
})

describe('a call that comes again', () => {
  const place = (wishes: ReturnType<typeof wishesOf>, own: readonly Family[] = [4, 6]) =>
    placeWishes(wishes, { own, elsewhere: [] })
  const reserved = (wishes: readonly PlacedWish[], hostPort: number) =>
    wishes.flatMap(({ protocol, containerPort, hostAddresses }) =>
      hostAddresses.map((hostAddress) => ({ protocol, containerPort, hostAddress, hostPort })),
    )
  const first = reserved(place(wishesOf('', 8001)), 8001)

  test('has one number on all addresses', () => {
    expect(first.map((port) => formatAddressPort(port.hostAddress, port.hostPort))).toEqual([
      '0.0.0.0:8001',
      '[::]:8001',
    ])
    const [ipv4, ipv6] = first
    if (ipv4 === undefined || ipv6 === undefined) throw new Error('There are two')
    expect(fulfil([ipv4, { ...ipv6, hostPort: 8002 }], place(wishesOf('', 8000, 8010)))).toBe(false)
  })

  test.each([
    ['the same port', wishesOf('', 8001), true],
    ['a range with it', wishesOf('', 8000, 8010), true],
    ['any port', wishesOf('', 0), true],
    ['another port', wishesOf('', 8002), false],
    ['one family of it', wishesOf('0.0.0.0', 8001), false],
    ['nothing', [], false],
  ])('finds its ports, or not: %s', (_what, wishes, isDone) => {
    expect(fulfil(first, place(wishes))).toBe(isDone)
  })
})
