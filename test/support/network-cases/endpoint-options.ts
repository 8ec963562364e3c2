/** Options of a container's place on a network. */
import { links } from '../container-sight.ts'
import type { NetworkCase } from '../network-case.ts'
import { IMAGE } from '../romana-host.ts'

export const ENDPOINT_CASES: readonly NetworkCase[] = [
  {
    title: 'two networks in one docker run',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const refusal = await stage.refusal(
        ...stage.runArgs('one', first, '--network', second, '--detach'),
        IMAGE,
        'sleep',
        '1000',
      )
      return refusal === 'succeeded' ? await links(stage, stage.name('one')) : refusal
    },
    expected: (version) =>
      version < 25 ? /Container cannot be connected to network endpoints: / : 'eth0 eth1',
  },
  {
    title: 'connect --gw-priority: the way out moves to this network',
    async see(stage) {
      const { args, address } = stage.subnet()
      const [first, second] = [await stage.network('first'), await stage.network('second', ...args)]
      const one = await stage.idle('one', first)
      const refusal = await stage.refusal('network', 'connect', '--gw-priority', '10', second, one)
      if (refusal !== 'succeeded') return refusal
      const route = await stage.shell(one, 'ip route show')
      return [
        route.includes(`default via ${address(1)} dev eth1`),
        await stage.ping(one, stage.outside),
      ].join(', ')
    },
    expected: (version) => (version < 28 ? /^unknown flag: --gw-priority/ : 'true, reached'),
  },
  {
    title: 'connect --driver-opt for a name of the link',
    async see(stage) {
      const network = await stage.network('net')
      const option = ['--driver-opt', 'com.docker.network.endpoint.ifname=lan0']
      await stage.docker('create', ...stage.runArgs('one', network).slice(1), IMAGE, 'sleep', '1000')
      await stage.docker('network', 'disconnect', network, stage.name('one'))
      await stage.docker('network', 'connect', ...option, network, stage.name('one'))
      await stage.docker('start', stage.name('one'))
      return await links(stage, stage.name('one'))
    },
    expected: {
      difference: 'The name of the link cannot be chosen',
      romana: 'eth0',
      bridge: (version) => (version < 28 ? 'eth0' : 'lan0'),
    },
  },
  {
    title: 'connect --link-local-ip',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const one = await stage.idle('one', first)
      const peer = await stage.idle('peer', second)
      const refusal = await stage.refusal('network', 'connect', '--link-local-ip', '169.254.8.8', second, one)
      return `${refusal}, ${await stage.shell(one, 'ip -o -4 address show dev eth1 | grep -c 169.254.8.8')}, ${await stage.ping(peer, one)}`
    },
    expected: 'succeeded, 1, reached',
  },
  {
    title: 'a sysctl of the link',
    async see(stage) {
      const network = await stage.network('net')
      const [setting, option] = ['log_martians=1', 'com.docker.network.endpoint.sysctls']
      const one =
        stage.version < 28
          ? await stage.idle('one', network, '--sysctl', `net.ipv4.conf.eth0.${setting}`)
          : await stage.idle('one', `name=${network},driver-opt=${option}=net.ipv4.conf.IFNAME.${setting}`)
      return await stage.shell(one, 'cat /proc/sys/net/ipv4/conf/eth0/log_martians')
    },
    expected: '1',
  },
]
