/** Traffic that pretends to be somebody else's, by who can send it: 10.1.18.2 of segment db on host 1, a container on a bridge of Docker there, and an outsider on the link of the hosts. */
import {
  advertisement,
  datagram,
  forgedError,
  forgedError6,
  fragments,
  neighbour,
  ping,
  type Spoof,
} from './spoof-makers.ts'

export const WEB = { one: '10.1.17.2', two: '10.2.17.2', three: '10.3.17.2' } as const
export const DB = { one: '10.1.18.2', two: '10.2.18.2' } as const
export const HOSTS = { one: '198.18.1.11', two: '198.18.1.12' } as const
export const DB6 = { two: 'fd3a:1c55:9e02:2:1:2:0:2' } as const
export const WEB6 = { one: 'fd3a:1c55:9e02:1:1:1:0:2', two: 'fd3a:1c55:9e02:2:1:1:0:2' } as const
export const HOSTS6 = { two: '2001:db8:1::12' } as const
const GATEWAY6 = 'fd3a:1c55:9e02:1:1:2:0:1'
const DNS_PORT = 53

const FLOW = { source: WEB.one, destination: WEB.two }
const FLOW6 = { source: WEB6.one, destination: WEB6.two }
const HOST_FLOW = { source: HOSTS.one, destination: HOSTS.two }

export const SPOOFS: readonly Spoof[] = [
  datagram('as a neighbour, to its segment', 'container', '10.1.18.77', DB.two),
  datagram('as a container of another segment, to that', 'container', WEB.one, WEB.two),
  datagram('as a container of another host, to its segment', 'container', WEB.three, WEB.one),
  datagram('as another host, to the host', 'container', HOSTS.two, HOSTS.one),
  datagram('as its host, to another host', 'container', HOSTS.one, HOSTS.two),
  datagram('as a gateway, to the segment', 'container', '10.1.17.1', WEB.two),
  datagram('as nobody, to everybody', 'container', '0.0.0.0', '255.255.255.255'),
  datagram('as nobody, to the host', 'container', '0.0.0.0', HOSTS.one),
  datagram('as nobody, to all name servers', 'container', '0.0.0.0', '255.255.255.255', DNS_PORT),
  datagram('as one of no net, to all name servers', 'container', '0.1.2.3', '255.255.255.255', DNS_PORT),
  datagram('as nobody, to the name servers of the link', 'container', '0.0.0.0', '224.0.0.1', DNS_PORT),
  ping('as nobody, to the hosts of the link', 'container', '0.0.0.0', '224.0.0.1'),
  datagram('as nobody, over IPv6, to the name servers of the link', 'container', '::', 'ff02::1', DNS_PORT),
  datagram('as nobody, over IPv6, to its gateway', 'container', '::', GATEWAY6, DNS_PORT),
  datagram('from loopback, to the host', 'container', '127.0.0.1', HOSTS.one),
  datagram('from loopback, to loopback', 'container', '127.0.0.1', '127.0.0.1'),
  datagram('to loopback', 'container', DB.one, '127.0.0.1'),
  datagram('from multicast, to the host', 'container', '224.0.0.9', HOSTS.one),
  datagram('from broadcast, to the host', 'container', '255.255.255.255', HOSTS.one),
  datagram('from link-local, to the host', 'container', '169.254.7.7', HOSTS.one),
  datagram('from link-local, to another segment', 'container', '169.254.7.7', WEB.two),
  datagram('as somebody outside, to another host', 'container', '192.0.2.9', HOSTS.two),
  fragments('in fragments, as a container of another segment', 'container', {
    source: WEB.one,
    destination: WEB.two,
  }),
  datagram('over IPv6, as a container of another segment', 'container', WEB6.one, WEB6.two),
  datagram('over IPv6, as a neighbour, to its segment', 'container', 'fd3a:1c55:9e02:1:1:2:0:77', DB6.two),
  fragments('in fragments, over IPv6, as a container of another segment', 'container', {
    source: WEB6.one,
    destination: WEB6.two,
  }),
  datagram(
    'as a neighbour, to the name servers of the link',
    'container',
    '10.1.18.77',
    '224.0.0.1',
    DNS_PORT,
  ),
  datagram('to all hosts of the link', 'container', DB.one, '224.0.0.1'),
  datagram(
    'over IPv6, as another, to the name servers of the link',
    'container',
    WEB6.one,
    'ff02::1',
    DNS_PORT,
  ),
  datagram('from link-local, to the name servers of the link', 'container', 'fe80::bad', 'ff02::1', DNS_PORT),
  neighbour(
    'asks as another who has the gateway',
    'solicitation',
    { source: WEB6.one, destination: GATEWAY6 },
    GATEWAY6,
  ),
  neighbour(
    'says as another that it has its address',
    'advertisement',
    { source: WEB6.one, destination: GATEWAY6 },
    WEB6.one,
  ),
  neighbour(
    'says from link-local that it has the address of another',
    'advertisement',
    { source: 'fe80::bad', destination: GATEWAY6 },
    WEB6.two,
  ),
  datagram('from IPv4-mapped, over IPv6', 'container', `::ffff:${WEB.one}`, WEB6.two),
  advertisement('as a router, to the host', 'container'),
  forgedError('an error for a stranger', 'container', DB.one, FLOW),
  forgedError('an error for the host', 'container', DB.one, HOST_FLOW),
  datagram('as a container, to its segment', 'bridge container', '10.1.17.77', WEB.one),
  datagram('as a container of another host, to its segment', 'bridge container', WEB.three, WEB.one),
  datagram('as a container, to the host', 'bridge container', '10.1.17.77', HOSTS.one),
  datagram(
    'over IPv6, as a container, to its segment',
    'bridge container',
    'fd3a:1c55:9e02:1:1:1:0:77',
    WEB6.one,
  ),
  datagram('over IPv6, as a container, to the host', 'bridge container', WEB6.two, GATEWAY6, DNS_PORT),
  forgedError('an error for a stranger', 'bridge container', '172.17.0.2', FLOW),
  datagram('as a container of another host, to its segment', 'outsider', WEB.two, WEB.one),
  datagram('as a container of this host, to its segment', 'outsider', '10.1.17.77', WEB.one),
  datagram('as a container of no host, to its segment', 'outsider', '10.9.17.2', WEB.one),
  datagram('as a gateway of another host, to its segment', 'outsider', '10.2.17.1', WEB.one),
  datagram('as a container of another host, to the host', 'outsider', WEB.two, HOSTS.one),
  datagram('from loopback, to a container', 'outsider', '127.0.0.1', WEB.one),
  fragments('in fragments, as a container of another host', 'outsider', {
    source: WEB.two,
    destination: WEB.one,
  }),
  datagram('over IPv6, as a container of another host', 'outsider', WEB6.two, WEB6.one),
  fragments('in fragments, over IPv6, as a container of another host', 'outsider', {
    source: WEB6.two,
    destination: WEB6.one,
  }),
  forgedError('an error for a stranger', 'outsider', '198.18.1.99', FLOW),
  forgedError('as another host, an error for a stranger', 'outsider', HOSTS.two, FLOW),
  forgedError6('an error for a stranger', 'outsider', '2001:db8:1::99', FLOW6),
  forgedError6('as another host, an error for a stranger', 'outsider', HOSTS6.two, FLOW6),
]
