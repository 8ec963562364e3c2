import { describe, expect, test } from 'vitest'
import { readIpEvent } from '../../host/watch-ip.ts'

// The lines are what iproute2 6.1 printed.

function read(line: string): string {
  const event = readIpEvent(line)
  if (event === undefined) return 'nothing'
  if (event.kind === 'gone') return `${event.link} is gone`
  const { what, link } = event.suspicion
  return `${what}${link === undefined ? '' : ` (unless ${link} goes)`}`
}

describe('others may have done something to ours when', () => {
  test.each([
    [
      'the policy rule is deleted',
      'Deleted 8200:\tfrom all to 10.0.0.0/8 lookup 8200 proto 82',
      'Deleted 8200: from all to 10.0.0.0/8 lookup 8200 proto 82',
    ],
    [
      'the route to the rest of the plan is deleted',
      'Deleted unreachable 10.0.0.0/8 table 8200 proto 82 ',
      'Deleted unreachable 10.0.0.0/8 table 8200 proto 82',
    ],
    [
      'the route to an endpoint is deleted',
      'Deleted 10.1.17.2 dev rmne1 table 8200 proto 82 scope link ',
      'Deleted 10.1.17.2 dev rmne1 table 8200 proto 82 scope link (unless rmne1 goes)',
    ],
    [
      'the route to an endpoint is replaced',
      '10.1.17.2 dev eth0 table 8200 scope link ',
      '10.1.17.2 dev eth0 table 8200 scope link',
    ],
    [
      'a route with our mark leads elsewhere',
      '10.1.17.2 dev eth0 table 8200 proto 82 scope link ',
      '10.1.17.2 dev eth0 table 8200 proto 82 scope link',
    ],
    [
      'a gateway is deleted',
      String.raw`Deleted 5: rmne1    inet 10.1.17.1/32 scope global rmne1\       valid_lft forever preferred_lft forever`,
      'Deleted 5: rmne1 inet 10.1.17.1/32 scope global rmne1 valid_lft forever preferred_lft forever (unless rmne1 goes)',
    ],
    [
      'the same of IPv6',
      'Deleted fd3a:1:2:1:1:1:0:12 dev rmne2 table 8200 proto 82 metric 1024 pref medium',
      'Deleted fd3a:1:2:1:1:1:0:12 dev rmne2 table 8200 proto 82 metric 1024 pref medium (unless rmne2 goes)',
    ],
    [
      'the IPv6 route to the rest of the plan is deleted',
      'Deleted unreachable fd3a:1:2::/48 dev lo table 8200 proto 82 metric 1024 pref medium',
      'Deleted unreachable fd3a:1:2::/48 dev lo table 8200 proto 82 metric 1024 pref medium',
    ],
    [
      'the IPv6 policy rule is deleted',
      'Deleted 8200:\tfrom all to fd3a:1:2::/48 lookup 8200 proto 82',
      'Deleted 8200: from all to fd3a:1:2::/48 lookup 8200 proto 82',
    ],
    [
      'an IPv6 gateway is deleted',
      String.raw`Deleted 5: rmne2    inet6 fe80::1/128 scope link nodad noprefixroute \       valid_lft forever preferred_lft forever`,
      'Deleted 5: rmne2 inet6 fe80::1/128 scope link nodad noprefixroute valid_lft forever preferred_lft forever (unless rmne2 goes)',
    ],
    ['IPv6 is forwarded no more', 'inet6 all forwarding off ', 'inet6 all forwarding off'],
    [
      "a container's link is set down",
      String.raw`5: rmni7@if4: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff link-netnsid 1`,
      'the link rmni7 is down (unless rmni7 goes)',
    ],
    [
      'the route to another host is deleted',
      'Deleted 10.2.0.0/16 via 198.18.1.12 dev eth0 table 8200 proto 82 ',
      'Deleted 10.2.0.0/16 via 198.18.1.12 dev eth0 table 8200 proto 82',
    ],
    [
      'a link to other hosts is there again',
      '198.18.1.0/24 dev eth0 proto kernel scope link src 198.18.1.11 ',
      '198.18.1.0/24 dev eth0 proto kernel scope link src 198.18.1.11',
    ],
    ['forwarding is switched off', 'inet all forwarding off ', 'inet all forwarding off'],
    [
      'the host gets another way out',
      'default via 203.0.113.77 dev eth0 metric 5 onlink ',
      'default via 203.0.113.77 dev eth0 metric 5 onlink',
    ],
    [
      'the host loses a way out',
      'Deleted default via 203.0.113.77 dev eth0 metric 5 onlink ',
      'Deleted default via 203.0.113.77 dev eth0 metric 5 onlink',
    ],
    [
      'the kernel had more to tell than there was room for',
      'netlink receive error No buffer space available (105)',
      'netlink receive error No buffer space available (105)',
    ],
  ])('%s', (_what, line, expected) => {
    expect(read(line)).toBe(expected)
  })
})

test('a link that goes takes suspicions along', () => {
  const line = String.raw`Deleted 5: rmne1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff`
  expect(read(line)).toBe('rmne1 is gone')
})

/** In their order, less repetitions. */
const START = String.raw`
inet rmp1 forwarding on rp_filter off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
4: rmp1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 8e:4d:6c:f3:17:d0 brd ff:ff:ff:ff:ff:ff
5: rmne1@rmp1: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff
5: rmne1@rmp1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff
5: rmne1    inet 10.1.17.1/32 scope global rmne1\       valid_lft forever preferred_lft forever
local 10.1.17.1 dev rmne1 table local proto kernel scope host src 10.1.17.1
10.1.17.2 dev rmne1 table 8200 proto 82 scope link linkdown
Deleted inet rmp1
Deleted 4: rmp1@rmne1: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 8e:4d:6c:f3:17:d0 brd ff:ff:ff:ff:ff:ff new-netnsid 1 new-ifindex 4
5: rmne1@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff link-netnsid 1
`
const STOP = String.raw`
5: rmne1@if4: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff link-netnsid 1
4: rmp1@rmne1: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 02:52:0a:01:11:02 brd ff:ff:ff:ff:ff:ff
5: rmne1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff
Deleted 5: rmne1    inet 10.1.17.1/32 scope global rmne1\       valid_lft forever preferred_lft forever
Deleted local 10.1.17.1 dev rmne1 table local proto kernel scope host src 10.1.17.1
Deleted inet rmne1
Deleted 5: rmne1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 3a:dc:81:c8:4c:92 brd ff:ff:ff:ff:ff:ff
Deleted 4: rmp1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether 02:52:0a:01:11:02 brd ff:ff:ff:ff:ff:ff
`
const START_6 = String.raw`
inet rmp2 forwarding off rp_filter off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
inet6 rmp2 forwarding on mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
4: rmp2@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether b2:1f:3c:37:dc:e6 brd ff:ff:ff:ff:ff:ff
inet rmne2 forwarding off rp_filter off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
inet6 rmne2 forwarding on mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
5: rmne2@rmp2: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff
5: rmne2@rmp2: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff
5: rmne2@rmp2: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff
multicast ff00::/8 dev rmne2 table local proto kernel metric 256 linkdown pref medium
5: rmne2    inet6 fd3a:1:2:1:1:1:0:1/128 scope global nodad noprefixroute \       valid_lft forever preferred_lft forever
local fd3a:1:2:1:1:1:0:1 dev rmne2 table local proto kernel metric 0 pref medium
5: rmne2    inet6 fe80::1/128 scope link nodad noprefixroute \       valid_lft forever preferred_lft forever
local fe80::1 dev rmne2 table local proto kernel metric 0 pref medium
fd3a:1:2:1:1:1:0:12 dev rmne2 table 8200 proto 82 metric 1024 linkdown pref medium
Deleted inet rmp2
Deleted inet6 rmp2
Deleted 4: rmp2@rmne2: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether b2:1f:3c:37:dc:e6 brd ff:ff:ff:ff:ff:ff new-netnsid 1 new-ifindex 4
5: rmne2@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff link-netnsid 1
`
const STOP_6 = String.raw`
5: rmne2@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff
Deleted fd3a:1:2:1:1:1:0:12 dev rmne2 table 8200 proto 82 metric 1024 pref medium
Deleted local fd3a:1:2:1:1:1:0:1 dev rmne2 table local proto kernel metric 0 pref medium
Deleted local fe80::1 dev rmne2 table local proto kernel metric 0 pref medium
Deleted multicast ff00::/8 dev rmne2 table local proto kernel metric 256 pref medium
Deleted 5: rmne2    inet6 fd3a:1:2:1:1:1:0:1/128 scope global nodad noprefixroute \       valid_lft forever preferred_lft forever
Deleted 5: rmne2    inet6 fe80::1/128 scope link nodad noprefixroute \       valid_lft forever preferred_lft forever
Deleted inet rmne2
Deleted inet6 rmne2
Deleted 5: rmne2@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether d2:61:f3:0d:00:9c brd ff:ff:ff:ff:ff:ff
`
const BRIDGE = String.raw`
inet veth94beb72 forwarding on rp_filter off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off
6: veth94beb72@if2: <BROADCAST,MULTICAST> mtu 1500 qdisc noop master docker0 state DOWN group default \    link/ether d6:cd:9c:94:f7:65 brd ff:ff:ff:ff:ff:ff link-netnsid 1
3: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN group default event FEATURE CHANGE \    link/ether ea:7c:4b:cc:60:46 brd ff:ff:ff:ff:ff:ff
6: veth94beb72@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master docker0 state UP \    link/ether d6:cd:9c:94:f7:65
Deleted inet veth94beb72
Deleted 6: veth94beb72@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \    link/ether d6:cd:9c:94:f7:65 brd ff:ff:ff:ff:ff:ff
8: br-12ab: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN group default \    link/ether ea:7c:4b:cc:60:47 brd ff:ff:ff:ff:ff:ff
172.18.0.0/16 dev br-12ab proto kernel scope link src 172.18.0.1 linkdown
Deleted 8: br-12ab    inet 172.18.0.1/16 brd 172.18.255.255 scope global br-12ab\       valid_lft forever preferred_lft forever
`
const OTHERS = `
8200:	from all to 10.0.0.0/8 lookup 8200 proto 82
unreachable 10.0.0.0/8 table 8200 proto 82
blackhole 10.1.0.0/16 table 8200 proto 82
10.1.17.2 dev rmne1 table 8200 proto 82 scope link
10.2.0.0/16 via 198.18.1.12 dev eth0 table 8200 proto 82
Deleted 77:	from all to 10.0.0.0/8 lookup 77
Deleted 10.1.17.2 dev rmne1 table 82000 proto 82 scope link
default via 192.0.2.1 dev wg0 table 51820
inet all forwarding on
inet eth0 forwarding off
5: rmnot@if4: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group default
`

describe('nothing is said of', () => {
  test.each([
    ['the start of a container', START],
    ['the start of a container with IPv6', START_6],
    ['a bridge, and a container on it', BRIDGE],
    ['what we add ourselves, and what others do elsewhere', OTHERS],
  ])('%s', (_what, transcript) => {
    const lines = transcript.trim().split('\n')
    expect(lines.filter((line) => readIpEvent(line) !== undefined)).toEqual([])
  })
})

test('the end of a container is suspicious only until its link is gone', () => {
  expect(STOP.trim().split('\n').map(read).join('\n')).toBe(`nothing
nothing
nothing
Deleted 5: rmne1 inet 10.1.17.1/32 scope global rmne1 valid_lft forever preferred_lft forever (unless rmne1 goes)
nothing
nothing
rmne1 is gone
nothing`)
})

test('so is that of one with IPv6', () => {
  const suspicious = STOP_6.trim().split('\n').map(read)
  expect(suspicious.filter((what) => what !== 'nothing')).toEqual([
    'Deleted fd3a:1:2:1:1:1:0:12 dev rmne2 table 8200 proto 82 metric 1024 pref medium (unless rmne2 goes)',
    'Deleted 5: rmne2 inet6 fd3a:1:2:1:1:1:0:1/128 scope global nodad noprefixroute valid_lft forever preferred_lft forever (unless rmne2 goes)',
    'Deleted 5: rmne2 inet6 fe80::1/128 scope link nodad noprefixroute valid_lft forever preferred_lft forever (unless rmne2 goes)',
    'rmne2 is gone',
  ])
})
