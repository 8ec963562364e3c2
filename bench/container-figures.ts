/** What a container on a network of Romana costs, on one real engine. */
import Dockerode from 'dockerode'
import type { LabHost } from '../lab/lab-host.ts'
import { timeContainer } from './containers.ts'
import { openMeasuredSocket } from './measured-socket.ts'
import { createRomanaNetwork, startOneHost } from './one-host.ts'
import { type Comparison, compare, runRounds } from './paired-rounds.ts'
import { type CallFigures, callsInLog, figuresOf } from './plugin-calls.ts'
import { countSystemCalls, type SystemCalls } from './system-calls.ts'

const PLUGIN_SOCKET = '/run/docker/plugins/romana.sock'
/** The name of the socket is the name of the driver. */
const MEASURED = {
  driver: 'measured',
  socket: '/run/docker/plugins/measured.sock',
  network: 'measured',
} as const
const TRACED_CONTAINERS = 20
const WARM_UP = 3

export interface ContainerFigures {
  readonly engine: string
  readonly containers: number
  /** Seen at the socket. */
  readonly atSocket: readonly CallFigures[]
  /** The plugin's own figures, of other containers: with the log level debug. */
  readonly inLog: readonly CallFigures[]
  readonly systemCalls: SystemCalls & { readonly containers: number }
  readonly rounds: number
  readonly comparisons: readonly Comparison[]
}

export async function measureContainers(
  alias: string,
  wish: { readonly rounds: number; readonly containers: number; readonly release: 'sid' | 'bookworm' },
): Promise<ContainerFigures> {
  const { rounds, containers, release } = wish
  await using one = await startOneHost('bench', { release })
  const { host } = one
  await host.installPlugin({ alias, directory: 'dist/plugin' })
  const api = new Dockerode({ socketPath: host.dockerSocket })
  const comparisons = await compareNetworks(host, api, rounds)
  const { atSocket, systemCalls } = await measureCalls(host, api, containers)
  const inLog = await readOwnFigures(host, api, alias, containers)
  const { engineVersion: engine } = host
  return { engine, containers, atSocket, inLog, systemCalls, rounds, comparisons }
}

/** Two bridges of one kind show how much of a difference is chance. */
async function compareNetworks(
  host: LabHost,
  engine: Dockerode,
  rounds: number,
): Promise<readonly Comparison[]> {
  await createRomanaNetwork(host, 'paired')
  for (const name of ['bridge-a', 'bridge-b']) await host.docker(['network', 'create', name])
  const variants = { romana: 'paired', bridge: 'bridge-a', 'another bridge': 'bridge-b', none: 'none' }
  const done = await runRounds(engine, variants, { rounds, warmUp: WARM_UP })
  await host.docker(['network', 'rm', 'paired', 'bridge-a', 'bridge-b'])
  const pairs = [
    ['romana', 'bridge'],
    ['romana', 'none'],
    ['bridge', 'none'],
    ['another bridge', 'bridge'],
  ] as const
  return (['run', 'remove'] as const).flatMap((what) => pairs.map(([a, b]) => compare(done, what, a, b)))
}

/** First the times, then, with strace in the way, the system calls. */
async function measureCalls(
  host: LabHost,
  engine: Dockerode,
  containers: number,
): Promise<{ atSocket: readonly CallFigures[]; systemCalls: ContainerFigures['systemCalls'] }> {
  const [path, target] = [host.rootPath(MEASURED.socket), host.rootPath(PLUGIN_SOCKET)]
  await using socket = await openMeasuredSocket(path, target)
  await createRomanaNetwork(host, MEASURED.network, MEASURED)
  await runContainers(engine, WARM_UP)
  const before = socket.calls.length
  await runContainers(engine, containers)
  const atSocket = figuresOf(socket.calls.slice(before))
  const systemCalls = await traceContainers(host, engine)
  await host.docker(['network', 'rm', MEASURED.network])
  return { atSocket, systemCalls: { ...systemCalls, containers: TRACED_CONTAINERS } }
}

function traceContainers(host: LabHost, engine: Dockerode): Promise<SystemCalls> {
  return countSystemCalls(host.netns, () => runContainers(engine, TRACED_CONTAINERS))
}

async function readOwnFigures(
  host: LabHost,
  engine: Dockerode,
  alias: string,
  containers: number,
): Promise<readonly CallFigures[]> {
  await host.docker(['plugin', 'disable', '--force', alias])
  await host.docker(['plugin', 'set', alias, 'ROMANA_LOG_LEVEL=debug'])
  await host.docker(['plugin', 'enable', alias])
  await createRomanaNetwork(host, MEASURED.network)
  await runContainers(engine, WARM_UP)
  const before = host.engineLog().length
  await runContainers(engine, containers)
  return figuresOf(callsInLog(host.engineLog().slice(before)))
}

async function runContainers(engine: Dockerode, count: number): Promise<void> {
  for (let container = 0; container < count; container += 1) await timeContainer(engine, MEASURED.network)
}
