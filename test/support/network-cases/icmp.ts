/** What containers learn from ICMP errors: of the engine's host, of other containers and of the world outside. */
import { hops } from '../container-sight.ts'
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'

/** Where nothing is, behind the router; and the MTU of the way there, in bytes. */
const BEYOND = { address: '203.0.113.9', unreachable: '203.0.113.10', mtu: 1300 }

export const ICMP_CASES: readonly NetworkCase[] = [
  {
    title: 'traceroute: the gateway, the router',
    async see(stage) {
      const { args, address } = stage.subnet()
      const container = await stage.idle('one', await stage.network('net', ...args))
      const seen = await hops(stage, container, stage.outside)
      return seen.map((hop) => (hop === address(1) ? 'gateway' : hop)).join(', ')
    },
    expected: 'gateway, 203.0.113.1',
  },
  {
    title: 'a closed UDP port of another container: port unreachable',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      const { address } = await stage.member('two', network)
      // Without that error a closed port looks like an open one.
      const look = (port: string) =>
        stage.outcome('exec', one, 'netcat', '-u', '-v', '-z', '-w', '1', address, port)
      return `open: ${await look('7001')}, closed: ${await look('7999')}`
    },
    expected: 'open: succeeded, closed: failed',
  },
  {
    title: 'an error from outside: host unreachable',
    async see(stage) {
      const container = await stage.idle('one', await stage.network('net'))
      await stage.router.run('ip', ['route', 'replace', 'unreachable', BEYOND.unreachable])
      const answer = await stage.shell(container, `traceroute -n -w 1 -q 1 -m 4 ${BEYOND.unreachable}`)
      return /!\S/.exec(answer)?.[0] ?? answer
    },
    expected: '!H',
  },
  {
    title: 'an error from outside: fragmentation needed; the container knows the path MTU then',
    async see(stage) {
      const container = await stage.idle('one', await stage.network('net'))
      const { address, mtu } = BEYOND
      await stage.router.run('ip', ['route', 'replace', `${address}/32`, 'dev', 'lan', 'mtu', String(mtu)])
      await stage.shell(container, `ping -c 1 -W 1 -s 1400 ${address}`)
      return await pathMtu(stage, container, address)
    },
    expected: 'mtu 1300',
  },
  {
    title: 'large packets to a network of smaller MTU that has the same subnet',
    async see(stage) {
      const { args } = stage.subnet()
      const network = await stage.network('net', ...args)
      const small = stage.createArgs(...args, '-o', 'com.docker.network.driver.mtu=1280')
      if ((await stage.outcome(...small, stage.name('small'))) === 'failed') return 'no such network'
      const one = await stage.idle('one', network)
      const two = await stage.idle('two', stage.name('small'))
      const address = await stage.addressOf(two, stage.name('small'))
      await stage.shell(one, `ping -c 1 -W 1 -s 1350 ${address}`)
      const received = await stage.outcome('exec', one, 'ping', '-c', '1', '-W', '1', '-s', '1350', address)
      return `${await pathMtu(stage, one, address)}, then ${received}`
    },
    expected: {
      difference: 'Networks of one segment share its subnet',
      romana: 'mtu 1280, then succeeded',
      bridge: 'no such network',
    },
  },
]

/** What the container has learnt of the way to an address. */
async function pathMtu(stage: Stage, container: string, address: string): Promise<string> {
  const pid = await stage.docker('inspect', '--format', '{{.State.Pid}}', container)
  // busybox does not show it.
  const get = [`--target=${pid}`, '--net', 'ip', 'route', 'get', address]
  const { stdout } = await stage.host.runInside('nsenter', get)
  return /mtu \d+/.exec(stdout)?.[0] ?? stdout
}
