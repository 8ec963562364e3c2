/** The link of a container: `docker run --mac-address`, routes, neighbours. */
import { hops } from '../container-sight.ts'
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'

export const LINK_CASES: readonly NetworkCase[] = [
  {
    title: '--mac-address: inspect shows it and the link has it, also after a restart',
    async see(stage) {
      const network = await stage.network('net')
      const mac = '02:11:22:33:44:55'
      const container = await stage.idle('one', network, '--mac-address', mac)
      const before = await macsOf(stage, container, network)
      await stage.docker('restart', '--time', '0', container)
      return `${before}; ${await macsOf(stage, container, network)}`
    },
    expected: '02:11:22:33:44:55 02:11:22:33:44:55; 02:11:22:33:44:55 02:11:22:33:44:55',
  },
  {
    title: 'without --mac-address: inspect shows what the link has, and the same address has the same one',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const container = await stage.idle('one', network, '--ip', address(77))
      const [shown, before] = (await macsOf(stage, container, network)).split(' ')
      await stage.docker('restart', '--time', '0', container)
      const [, after] = (await macsOf(stage, container, network)).split(' ')
      return `${shown === before ? 'shown' : 'not shown'}, ${before === after ? 'the same' : 'another one'}`
    },
    expected: {
      difference: 'A MAC follows from the address',
      romana: 'shown, the same',
      bridge: /^shown, (?:another one|the same)$/,
    },
  },
  {
    title: 'routes and the length of the address in the container',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const container = await stage.idle('one', network)
      const routes = await stage.shell(
        container,
        "ip -o -4 address show dev eth0 | sed 's/.*inet //; s/ .*//'; ip route",
      )
      return routes
        .replaceAll(address(0).replace(/0$/, ''), '.')
        .split('\n')
        .map((line) => line.trim())
        .join('\n')
    },
    expected: {
      difference: 'Containers have an address of their own and a gateway, and no neighbours',
      romana: '.2/32\ndefault via .1 dev eth0\n.0/24 via .1 dev eth0\n.1 dev eth0 scope link',
      bridge: '.2/24\ndefault via .1 dev eth0\n.0/24 dev eth0 scope link  src .2',
    },
  },
  {
    title: 'the way to a container of the same network, hop by hop',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const one = await stage.idle('one', network)
      await stage.idle('two', network)
      return (await hops(stage, one, address(3)))
        .map((hop) => hop.replace(address(0).replace(/0$/, ''), '.'))
        .join(' ')
    },
    expected: {
      difference: 'Containers have an address of their own and a gateway, and no neighbours',
      romana: '.1 .3',
      bridge: '.3',
    },
  },
  {
    title: 'a broadcast to all containers of a network',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const one = await stage.idle('one', network)
      const two = await stage.idle('two', network)
      await stage.docker('exec', '--detach', two, 'sh', '-c', 'netcat -l -u 7001 > /tmp/udp')
      const send = `echo hello | timeout 2 netcat -u -b -w 1 ${address(255)} 7001`
      await stage.shell(one, send)
      return (await stage.shell(two, 'cat /tmp/udp')) === 'hello' ? 'received' : 'not received'
    },
    expected: {
      difference: 'Containers have an address of their own and a gateway, and no neighbours',
      romana: 'not received',
      bridge: 'received',
    },
  },
]

/** What inspect shows, and what the link has. */
async function macsOf(stage: Stage, container: string, network: string): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").MacAddress}}`
  const shown = await stage.docker('inspect', '--format', format, container)
  return `${shown} ${await stage.shell(container, 'cat /sys/class/net/eth0/address')}`
}
