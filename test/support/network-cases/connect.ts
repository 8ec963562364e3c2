/** `docker network connect` and `disconnect`. */
import { links } from '../container-sight.ts'
import type { NetworkCase } from '../network-case.ts'
import { IMAGE } from '../romana-host.ts'

export const CONNECT_CASES: readonly NetworkCase[] = [
  {
    title: 'connect --ip --alias and disconnect, while the container runs',
    async see(stage) {
      const { args, address } = stage.subnet()
      const [first, second] = [await stage.network('first'), await stage.network('second', ...args)]
      const peer = await stage.idle('peer', second)
      const one = await stage.idle('one', first)
      await stage.docker('network', 'connect', '--ip', address(77), '--alias', 'alias', second, one)
      const connected = [
        (await stage.resolve(peer, 'alias')) === address(77) ? 'found' : 'not found',
        await stage.ping(peer, 'alias'),
        await stage.ping(one, peer),
      ]
      await stage.docker('network', 'disconnect', second, one)
      const alone = [(await stage.resolve(peer, 'alias')) || 'not found', await links(stage, one)]
      return [...connected, ...alone].join(', ')
    },
    expected: 'found, reached, reached, not found, eth0',
  },
  {
    title: 'connect while the container is stopped: it is on both when it starts',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const peer = await stage.idle('peer', second)
      const one = await stage.idle('one', first)
      await stage.docker('stop', one)
      await stage.docker('network', 'connect', second, one)
      await stage.docker('start', one)
      return `${await links(stage, one)}, ${await stage.ping(peer, one)}`
    },
    expected: 'eth0 eth1, reached',
  },
  {
    title: 'disconnect while the container is stopped: it is on the other when it starts',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const peer = await stage.idle('peer', second)
      const one = await stage.idle('one', first)
      await stage.docker('network', 'connect', second, one)
      await stage.docker('stop', one)
      await stage.docker('network', 'disconnect', first, one)
      await stage.docker('start', one)
      return `${await links(stage, one)}, ${await stage.ping(peer, one)}`
    },
    expected: 'eth0, reached',
  },
  {
    title: 'disconnect --force of a running and of a stopped container',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      await stage.docker('network', 'disconnect', '--force', network, one)
      const running = await links(stage, one)
      await stage.docker('network', 'connect', network, one)
      await stage.docker('stop', one)
      await stage.docker('network', 'disconnect', '--force', network, one)
      await stage.docker('start', one)
      return `${running || 'none'}, ${(await links(stage, one)) || 'none'}`
    },
    expected: 'none, none',
  },
  {
    title: 'disconnect from the only network, and connect to it again',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const one = await stage.idle('one', network)
      await stage.docker('network', 'disconnect', network, one)
      const alone = await stage.ping(one, stage.outside)
      await stage.docker('network', 'connect', network, one)
      return [alone, await stage.ping(peer, one), await stage.ping(one, stage.outside)].join(', ')
    },
    expected: 'not reached, reached, reached',
  },
  {
    title: 'connect twice, disconnect twice',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const one = await stage.idle('one', first)
      await stage.docker('network', 'connect', second, one)
      const again = await stage.refusal('network', 'connect', second, one)
      await stage.docker('network', 'disconnect', second, one)
      return `${again}; ${await stage.refusal('network', 'disconnect', second, one)}`
    },
    expected:
      /endpoint with name one already exists in network second.*; .*container \w+ is not connected to (?:the )?network/s,
  },
  {
    title: 'connect to a network on which an --ip is taken: the container goes on as it was',
    async see(stage) {
      const { args, address } = stage.subnet()
      const [first, second] = [await stage.network('first'), await stage.network('second', ...args)]
      await stage.idle('owner', second, '--ip', address(77))
      const one = await stage.idle('one', first)
      const outcome = await stage.outcome('network', 'connect', '--ip', address(77), second, one)
      return [outcome, await links(stage, one), await stage.ping(one, stage.outside)].join(', ')
    },
    expected: 'failed, eth0, reached',
  },
  {
    title: 'containers of two networks that share one container do not reach each other',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const [left, right] = [await stage.idle('left', first), await stage.idle('right', second)]
      const middle = await stage.idle('middle', first)
      await stage.docker('network', 'connect', second, middle)
      return [
        await stage.ping(middle, left),
        await stage.ping(middle, right),
        await stage.ping(left, await stage.addressOf(right, second)),
        await stage.ping(left, await stage.addressOf(middle, second)),
      ].join(', ')
    },
    expected: 'reached, reached, not reached, not reached',
  },
  {
    title: 'the way out goes on when the network that had it is disconnected',
    async see(stage) {
      const [first, second] = [await stage.network('first'), await stage.network('second')]
      const one = await stage.idle('one', first)
      await stage.docker('network', 'connect', second, one)
      const seen = [await stage.ping(one, stage.outside)]
      await stage.docker('network', 'disconnect', first, one)
      return [...seen, await stage.ping(one, stage.outside)].join(', ')
    },
    expected: 'reached, reached',
  },
  {
    title: 'network none first: connect is refused',
    async see(stage) {
      const network = await stage.network('net')
      await stage.docker(...stage.runArgs('one', 'none', '--detach'), IMAGE, 'sleep', '1000')
      return await stage.refusal('network', 'connect', network, stage.name('one'))
    },
    expected:
      /container cannot be connected to multiple networks with one of the networks in private \(none\) mode$/,
  },
]
