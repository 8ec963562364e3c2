/** What is done with a container, one verb after the other. */
import { waitUntil } from '../../../lab/wait-until.ts'
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'
import { IMAGE } from '../romana-host.ts'

const READY_TIMEOUT_MS = 10_000

export const CONTAINER_CASES: readonly NetworkCase[] = [
  {
    title: 'create, start, stop, start: an address and a link from start to stop',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const name = stage.name('one')
      const [, ...create] = stage.runArgs('one', network)
      await stage.docker('create', ...create, IMAGE, 'sleep', '1000')
      const seen = [await life(stage, peer, name, network)]
      for (const verb of ['start', 'stop', 'start']) {
        await stage.docker(verb, name)
        seen.push(await life(stage, peer, name, network))
      }
      return seen.join('; ')
    },
    expected: 'no address; address, reached; no address; address, reached',
  },
  {
    title: 'restart and kill: as often as one likes',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const one = await stage.idle('one', network)
      const seen: string[] = []
      for (const verbs of [['restart', '--time', '0'], ['kill'], ['start'], ['restart', '--time', '0']]) {
        await stage.docker(...verbs, one)
        seen.push(await life(stage, peer, one, network))
      }
      return seen.join('; ')
    },
    expected: 'address, reached; no address; address, reached; address, reached',
  },
  {
    title: 'pause and unpause: what listens goes on',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const one = await stage.name('one')
      await stage.docker(...stage.runArgs('one', network, '--detach'), IMAGE, 'netcat', '-l', '-k', '7000')
      const address = await stage.addressOf(one, network)
      const open = ['exec', peer, 'netcat', '-z', '-w', '1', address, '7000']
      await stage.docker('pause', one)
      const paused = await stage.addressOf(one, network)
      await stage.docker('unpause', one)
      return `${paused === address ? 'address' : 'no address'}, ${await stage.outcome(...open)}`
    },
    expected: 'address, succeeded',
  },
  {
    title: 'run --rm: nothing is left, and the exit code comes through',
    async see(stage) {
      const network = await stage.network('net')
      const run = [...stage.runArgs('one', network, '--rm'), IMAGE, 'sh', '-c', 'exit 7']
      const { exitCode } = await stage.host.docker(run, { reject: false })
      const left = await stage.docker('ps', '--all', '--quiet', '--filter', `label=${stage.label}`)
      return `${exitCode}, ${left || 'nothing'}, ${await members(stage, network)}`
    },
    expected: '7, nothing, no containers',
  },
  {
    title: 'rm --force of a running container: its address and link go',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      const address = await stage.addressOf(one, network)
      const link = await hostLinkOf(stage, one)
      await stage.docker('rm', '--force', one)
      const { exitCode } = await stage.host.run('ping', ['-c', '1', '-W', '1', address], { reject: false })
      const links = await hostLinks(stage)
      return `${exitCode === 0 ? 'reached' : 'not reached'}, ${await members(stage, network)}, ${links.includes(link) ? 'link left' : 'no link'}`
    },
    expected: 'not reached, no containers, no link',
  },
  {
    title: '--restart on-failure: a container that dies is there again',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const script = '[ -e /tmp/died ] && exec sleep 1000; touch /tmp/died; exit 1'
      await stage.docker(
        ...stage.runArgs('one', network, '--detach', '--restart', 'on-failure'),
        IMAGE,
        'sh',
        '-c',
        script,
      )
      const one = stage.name('one')
      // One that is about to start again counts as running.
      const format = '{{.RestartCount}} {{.State.Running}} {{.State.Restarting}}'
      await waitUntil({ what: 'the restart', timeoutMs: READY_TIMEOUT_MS }, async () => {
        return (await stage.docker('inspect', '--format', format, one)) === '1 true false'
      })
      return await life(stage, peer, one, network)
    },
    expected: 'address, reached',
  },
  {
    title: 'a health check that uses the network',
    async see(stage) {
      const network = await stage.network('net')
      const peer = await stage.idle('peer', network)
      const check = [
        '--health-cmd',
        `ping -c 1 -W 1 ${peer}`,
        '--health-interval',
        '100ms',
        '--health-timeout',
        '2s',
      ]
      const one = await stage.idle('one', network, ...check)
      return await waitUntil({ what: 'the health check', timeoutMs: READY_TIMEOUT_MS }, async () => {
        const health = await stage.docker('inspect', '--format', '{{.State.Health.Status}}', one)
        return health !== 'starting' && health
      })
    },
    expected: 'healthy',
  },
]

/** Whether a container has an address, and a peer reaches it there by name. */
async function life(stage: Stage, peer: string, container: string, network: string): Promise<string> {
  if ((await stage.addressOf(container, network)) === '') return 'no address'
  return `address, ${await stage.ping(peer, container)}`
}

/** The containers that the network shows. */
async function members(stage: Stage, network: string): Promise<string> {
  const format = '{{range .Containers}}{{.Name}} {{end}}'
  return (await stage.docker('network', 'inspect', '--format', format, network)) || 'no containers'
}

/** The number of the other end of the container's link. */
async function hostLinkOf(stage: Stage, container: string): Promise<string> {
  return await stage.shell(container, 'cat /sys/class/net/eth0/iflink')
}

/** The numbers of all links of the host. */
async function hostLinks(stage: Stage): Promise<readonly string[]> {
  const { stdout } = await stage.host.run('ip', ['-o', 'link', 'show'])
  return [...stdout.matchAll(/^(\d+): /gm)].map(([, number = '']) => number)
}
