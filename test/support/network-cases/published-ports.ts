/** -p and -P, as the engine shows them. `test/engine/ports.test.ts` has who reaches them. */
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'
import { IMAGE } from '../romana-host.ts'

export const PORT_CASES: readonly NetworkCase[] = [
  {
    title: '-p, -P and --expose',
    async see(stage) {
      const network = await stage.network('net')
      const outcomes = [
        stage.outcome(...stage.runArgs('one', network, '-p', `${portOf(stage, 1)}:80`), IMAGE, 'true'),
        stage.outcome(...stage.runArgs('two', network, '--expose', '80', '-P'), IMAGE, 'true'),
        stage.outcome(...stage.runArgs('three', network, '--expose', '80'), IMAGE, 'true'),
        stage.outcome(...stage.runArgs('four', network, '-p', '80', '-p', '53/udp'), IMAGE, 'true'),
      ]
      return (await Promise.all(outcomes)).join(', ')
    },
    expected: 'succeeded, succeeded, succeeded, succeeded',
  },
  {
    title: '-p twice with one host port: the second container does not start',
    async see(stage) {
      const network = await stage.network('net')
      const port = `${portOf(stage, 2)}:80`
      await stage.idle('one', network, '-p', port)
      return await stage.refusal(...stage.runArgs('two', network, '-p', port), IMAGE, 'true')
    },
    expected: /Bind for (0\.0\.0\.0)?:\d+ failed: port is already allocated/,
  },
  {
    title: 'a container on a published port of its neighbour',
    async see(stage) {
      const network = await stage.network('net')
      const port = portOf(stage, 3)
      await stage.member('one', network, '-p', `${port}:7000`)
      const two = await stage.idle('two', network)
      const seen = await stage.shell(
        two,
        `timeout 3 wget -q -O - http://${stage.host.address}:${port}/cgi-bin/who`,
      )
      return seen.replaceAll(/\[::ffff:|\]/g, '').replace(await stage.addressOf(two, network), 'two')
    },
    expected: {
      difference: 'Callers of published ports keep their addresses',
      romana: 'one saw two',
      bridge: /^one saw 172\./,
    },
  },
  {
    title: 'docker port',
    async see(stage) {
      const one = await stage.idle('one', await stage.network('net'), '-p', `${portOf(stage, 4)}:80`)
      return (await stage.docker('port', one)).split('\n')[0] ?? ''
    },
    expected: {
      difference: 'docker port and docker ps show no ports',
      romana: '',
      bridge: /^80\/tcp -> 0\.0\.0\.0:\d+$/,
    },
  },
  {
    title: '-p [::1]:PORT:80',
    async see(stage) {
      const one = await stage.network('net')
      return await stage.outcome(
        ...stage.runArgs('one', one, '-p', `[::1]:${portOf(stage, 6)}:80`),
        IMAGE,
        'true',
      )
    },
    expected: 'succeeded',
  },
  {
    title: '-p with IPv6 addresses of the host, on a network without IPv6',
    async see(stage) {
      const network = await stage.network('net')
      return await stage.refusal(
        ...stage.runArgs('one', network, '-p', `[::]:${portOf(stage, 5)}:80`),
        IMAGE,
        'true',
      )
    },
    expected: {
      difference: 'IPv6 addresses of the host lead to containers with IPv6',
      romana: /:: is an IPv6 address, and the container has none on this network/,
      bridge: 'succeeded',
    },
  },
]

/** A host port that no case of the other driver has. */
function portOf({ driver }: Stage, number: number): number {
  return (driver === 'romana' ? 7100 : 7200) + number
}
