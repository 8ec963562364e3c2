/** What passes between containers, the host and the world outside. */
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'
import { PORT } from '../services.ts'

export const PACKET_CASES: readonly NetworkCase[] = [
  {
    title: 'containers of a network reach each other by ICMP, TCP and UDP',
    async see(stage) {
      const network = await stage.network('net')
      const [one, two] = [await stage.member('one', network), await stage.member('two', network)]
      return await protocols(stage, one.name, two.address, two.name)
    },
    expected: 'icmp tcp udp',
  },
  {
    title: 'a container without NET_RAW: TCP and UDP all the same',
    async see(stage) {
      const network = await stage.network('net')
      const [one, two] = [
        await stage.member('one', network, '--cap-drop', 'NET_RAW'),
        await stage.member('two', network),
      ]
      return await protocols(stage, one.name, two.address, two.name)
    },
    expected: 'tcp udp',
  },
  {
    title: 'the host reaches its containers',
    async see(stage) {
      const { address } = await stage.member('one', await stage.network('net'))
      const pinged = await stage.host.run('ping', ['-c', '1', '-W', '1', address], { reject: false })
      const opened = await stage.host.run('nc', ['-z', '-w', '1', address, '7000'], { reject: false })
      return `ping ${pinged.exitCode}, TCP ${opened.exitCode}`
    },
    expected: 'ping 0, TCP 0',
  },
  {
    title: 'a container pings its host at the gateway and at its address',
    async see(stage) {
      const { args, address } = stage.subnet()
      const container = await stage.idle('one', await stage.network('net', ...args))
      return [await stage.ping(container, address(1)), await stage.ping(container, stage.host.address)].join(
        ', ',
      )
    },
    expected: 'reached, reached',
  },
  {
    title: 'a container and a service of its host',
    async see(stage) {
      const { args, address } = stage.subnet()
      const container = await stage.idle('one', await stage.network('net', ...args))
      const outcomes = [address(1), stage.host.address].map((to) =>
        stage.outcome('exec', container, 'netcat', '-z', '-w', '1', to, PORT),
      )
      return (await Promise.all(outcomes)).join(', ')
    },
    expected: {
      difference: 'The host is closed to containers',
      romana: 'failed, failed',
      bridge: 'succeeded, succeeded',
    },
  },
  {
    title: 'a container reaches outside with the address of its host',
    async see(stage) {
      const container = await stage.idle('one', await stage.network('net'))
      const seen = await stage.shell(container, `netcat -w 2 ${stage.outside} ${PORT}`)
      return [
        await stage.ping(container, stage.outside),
        seen === stage.host.address ? 'its host' : seen,
      ].join(', ')
    },
    expected: 'reached, its host',
  },
  {
    title: 'nobody outside reaches a container, not even with a route to it',
    async see(stage) {
      const { args, cidr, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      await stage.member('one', network)
      const route = [cidr, 'via', stage.host.address]
      await stage.router.run('ip', ['route', 'add', ...route])
      const open = ['-z', '-w', '1', address(2), '7000']
      const { exitCode } = await stage.router.run('nc', open, { reject: false })
      await stage.router.run('ip', ['route', 'del', ...route])
      return exitCode === 0 ? 'reached' : 'not reached'
    },
    expected: 'not reached',
  },
  {
    title: 'its containers and those of a bridge network do not reach each other',
    async see(stage) {
      await using other = stage.beside('bridge')
      const [network, otherNetwork] = [await stage.network('net'), await other.network('net')]
      const mine = await stage.member('one', network)
      const foreign = await other.member('two', otherNetwork)
      const seen = await Promise.all([
        protocols(stage, mine.name, foreign.address, foreign.name),
        protocols(stage, foreign.name, mine.address, mine.name),
      ])
      return seen.map((each) => each || 'nothing').join('; ')
    },
    expected: 'nothing; nothing',
  },
  {
    title: '--sysctl of the container and of its link',
    async see(stage) {
      const network = await stage.network('net')
      const options = [
        '--sysctl',
        'net.ipv4.ip_unprivileged_port_start=80',
        '--sysctl',
        'net.ipv4.conf.all.log_martians=1',
      ]
      const container = await stage.idle('one', network, ...options)
      return (
        await stage.shell(
          container,
          'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/conf/all/log_martians',
        )
      ).replace('\n', ' ')
    },
    expected: '80 1',
  },
  {
    title: 'docker stats counts what the container received',
    async see(stage) {
      const network = await stage.network('net')
      const [one, two] = [await stage.idle('one', network), await stage.idle('two', network)]
      await stage.shell(one, `ping -c 3 -i 0.1 -s 60000 ${await stage.addressOf(two, network)}`)
      const io = await stage.docker('stats', '--no-stream', '--format', '{{.NetIO}}', one)
      return /^1[89]\dkB \/ 1[89]\dkB$/.test(io) ? 'counted' : io
    },
    expected: 'counted',
  },
]

/** The protocols by which one container reaches another. */
async function protocols(stage: Stage, from: string, address: string, to: string): Promise<string> {
  const script = [
    `(ping -c 1 -W 1 ${address} > /dev/null && echo icmp) &`,
    `(timeout 2 wget -q -O - http://${address}:7000/cgi-bin/who | grep -q '^${to} saw' && echo tcp) &`,
    `echo ${from} | timeout 2 netcat -u -w 1 ${address} 7001; wait`,
  ].join('\n')
  const seen = (await stage.shell(from, script))
    .split('\n')
    .filter((line) => line !== '')
    .sort()
  const datagrams = await stage.shell(to, 'cat /tmp/udp')
  return [...seen, ...(datagrams === stage.plain(from) ? ['udp'] : [])].join(' ')
}
