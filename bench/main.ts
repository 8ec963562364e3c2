/**
 * `npm run bench [-- --json] [--rounds N] [--containers N] [--hosts N] [--release sid|bookworm]`: what the plugin costs, on a real engine
 * in the lab. Nothing else should run on the machine meanwhile.
 */
import { parseArgs } from 'node:util'
import Dockerode from 'dockerode'
import * as v from 'valibot'
import { startLab } from '../lab/lab.ts'
import type { LabHost } from '../lab/lab-host.ts'
import { runMain } from '../lab/steps.ts'
import { ensureBuilt } from '../lab/up-plugin.ts'
import { timeContainer } from './containers.ts'
import { describeMachine, loadNow } from './machine.ts'
import { measureManyHosts } from './many-hosts.ts'
import { openMeasuredSocket } from './measured-socket.ts'
import { compare, runRounds } from './paired-rounds.ts'
import { type CallFigures, callsInLog, figuresOf } from './plugin-calls.ts'
import { type Figures, report } from './report.ts'
import { countSystemCalls, type SystemCalls } from './system-calls.ts'

const PLUGIN = 'romana-net'
const PLUGIN_SOCKET = '/run/docker/plugins/romana.sock'
/** The name of the socket is the name of the driver. */
const MEASURED = {
  driver: 'measured',
  socket: '/run/docker/plugins/measured.sock',
  network: 'measured',
} as const
const TRACED_CONTAINERS = 20
const WARM_UP = 3

const Options = v.object({
  json: v.boolean(),
  rounds: v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(2)),
  containers: v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(2)),
  hosts: v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(2), v.maxValue(1_000)),
  release: v.picklist(['sid', 'bookworm']),
})

async function main(): Promise<void> {
  const { json, rounds, containers, hosts, release } = readOptions()
  await ensureBuilt()
  await using lab = await startLab({ name: 'bench', hosts: [{ name: 'h1', release }], underlay: 'layer2' })
  const [host] = lab.hosts
  if (host === undefined) throw new Error('The lab has no host')
  await host.installPlugin({ alias: PLUGIN, directory: 'dist/plugin' })
  const figures = {
    ...(await measure(host, rounds, containers)),
    manyHosts: await measureManyHosts(PLUGIN, hosts),
  }
  console.log(json ? JSON.stringify(figures, undefined, 2) : report(figures))
}

function readOptions(): v.InferOutput<typeof Options> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '30' },
      containers: { type: 'string', default: '100' },
      hosts: { type: 'string', default: '1000' },
      release: { type: 'string', default: 'sid' },
    },
  })
  return v.parse(Options, values)
}

async function measure(
  host: LabHost,
  rounds: number,
  containers: number,
): Promise<Omit<Figures, 'manyHosts'>> {
  const engine = new Dockerode({ socketPath: host.dockerSocket })
  const machine = describeMachine(host.engineVersion)
  const before = loadNow()
  const comparisons = await compareNetworks(host, engine, rounds)
  const { atSocket, systemCalls } = await measureCalls(host, engine, containers)
  const inLog = await readOwnFigures(host, engine, containers)
  const loads = [before, loadNow()] as const
  return { machine, loads, containers, atSocket, inLog, systemCalls, rounds, comparisons }
}

/** Two bridges of one kind show how much of a difference is chance. */
async function compareNetworks(
  host: LabHost,
  engine: Dockerode,
  rounds: number,
): Promise<Figures['comparisons']> {
  await createRomanaNetwork(host, 'romana', 'paired')
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
): Promise<{ atSocket: readonly CallFigures[]; systemCalls: Figures['systemCalls'] }> {
  const [path, target] = [host.rootPath(MEASURED.socket), host.rootPath(PLUGIN_SOCKET)]
  await using socket = await openMeasuredSocket(path, target)
  await createRomanaNetwork(host, MEASURED.driver, MEASURED.network)
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
  containers: number,
): Promise<readonly CallFigures[]> {
  await host.docker(['plugin', 'disable', '--force', PLUGIN])
  await host.docker(['plugin', 'set', PLUGIN, 'ROMANA_LOG_LEVEL=debug'])
  await host.docker(['plugin', 'enable', PLUGIN])
  await createRomanaNetwork(host, 'romana', MEASURED.network)
  await runContainers(engine, WARM_UP)
  const before = host.engineLog().length
  await runContainers(engine, containers)
  return figuresOf(callsInLog(host.engineLog().slice(before)))
}

async function runContainers(engine: Dockerode, count: number): Promise<void> {
  for (let container = 0; container < count; container += 1) await timeContainer(engine, MEASURED.network)
}

async function createRomanaNetwork(host: LabHost, driver: string, name: string): Promise<void> {
  await host.docker(['network', 'create', '--driver', driver, '--ipam-driver', driver, name])
}

await runMain(main)
