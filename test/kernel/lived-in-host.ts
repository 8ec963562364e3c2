/** What others have on a host: Docker, a person, another program. Some of it looks much like ours. */
import type { KernelHost } from './kernel-host.ts'

export async function moveIn(host: KernelHost): Promise<void> {
  await host.netns.ip(
    'link add name eth0 type veth peer name far0',
    'link set dev far0 addrgenmode none up',
    'link set dev eth0 addrgenmode none mtu 1400 up',
    'address add 192.0.2.1/24 dev eth0',
    'route add default via 192.0.2.254',
    'route add 198.51.100.0/24 via 192.0.2.253',
    'link add name docker0 type bridge',
    'link set dev docker0 addrgenmode none',
    'address add 172.17.0.1/16 dev docker0',
    'link set dev docker0 up',
    'link add name rmnot type veth peer name rmpot',
    'route add 203.0.113.0/24 dev eth0 table 8200',
    'route add 203.0.113.0/24 dev eth0 table 82 protocol 82',
    'rule add to 10.0.0.0/8 lookup 77 priority 77',
    'rule add to 203.0.113.0/24 lookup 8200 priority 8200',
  )
  await host.restore(FILTER + NAT + RAW)
  await host.restore(FILTER + RAW, 6)
}

const FILTER = `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -m comment --comment "speaks of -j ROMANA-FORWARD" -j RETURN
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`
const NAT = `*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
`
const RAW = `*raw
-A PREROUTING -i docker0 -p udp -m udp --dport 9 -j DROP
COMMIT
`
