/**
 * `npm run up -- --hosts N`: hosts with an engine each, a router between them, an etcd of three members or fewer with certificates and
 * users, and one network of each of two tenants over all hosts.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { type EtcdCluster, startEtcdCluster } from './etcd-cluster.ts'
import { type Lab, type LabOptions, startLab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { labDirectory } from './lab-names.ts'
import { step } from './steps.ts'
import { UP_LAB } from './up-engine.ts'
import { addressOf, ensureContainer, ensureNetwork, NETWORKS, type UpNetwork } from './up-networks.ts'
import { buildTime, COMMAND, DIRECTORY, PLUGIN } from './up-plugin.ts'
import { type Placed, showReach } from './up-reach.ts'
import { writeUpState } from './up-state.ts'

/** An etcd has an odd number of members. */
const MOST_MEMBERS = 3
/** Of the networks of a single host, so many. */
const NETWORKS_HERE = 2

/** The first steps are those of a single host. @throws Error when something is not as it must be */
export async function upCluster(count: number): Promise<void> {
  if (existsSync(labDirectory(UP_LAB))) {
    throw new Error('Cannot start several hosts: something is up already. Run "npm run down" first')
  }
  writeUpState({ engine: 'private', madeJournal: false, loadedImage: false, installedBuild: buildTime() })
  const lab = await step(() => startLab(labOf(count)), describeLab)
  const members = lab.hosts.slice(0, count < MOST_MEMBERS ? 1 : MOST_MEMBERS)
  const certificates = join(labDirectory(UP_LAB), 'certificates')
  const etcd = await step(() => startEtcdCluster(members, certificates), describeEtcd)
  for (const host of lab.hosts) await step(() => joinHost(host, etcd), describeJoined(host))
  await step(
    () => teachRouter(lab),
    (lines) => `Router: ${lines.join(', ')}`,
  )
  const networks = NETWORKS.slice(0, NETWORKS_HERE)
  const containers = await step(() => startContainers(lab.hosts, networks), describeContainers)
  await showReach(containers)
  console.log(nextCommands(lab.hosts, containers))
}

function labOf(count: number): LabOptions {
  const hosts = Array.from({ length: count }, (_, index) => ({
    name: `h${index + 1}`,
    release: 'sid' as const,
  }))
  return { name: UP_LAB, hosts, underlay: 'layer3' }
}

async function joinHost(host: LabHost, etcd: EtcdCluster): Promise<void> {
  await etcd.equip(host)
  await host.installPlugin({ alias: PLUGIN, directory: DIRECTORY, settings: etcd.settings })
  await romana(host, 'status')
}

/** The router gets what `romana routes export` prints: one static route for each host. */
async function teachRouter({ hosts: [first], router }: Lab): Promise<readonly string[]> {
  if (first === undefined) return []
  const lines = await romana(first, 'routes export')
  await router.run('ip', ['-batch', '-'], { input: `${lines}\n` })
  return lines.split('\n').map((line) => line.replace('route replace ', ''))
}

async function romana(host: LabHost, line: string): Promise<string> {
  const socket = host.rootPath('/run/romana/admin.sock')
  return (await run(process.execPath, [COMMAND, ...line.split(' '), '--socket', socket])).stdout
}

async function startContainers(hosts: readonly LabHost[], networks: readonly UpNetwork[]): Promise<Placed[]> {
  const placed = hosts.map(async ({ name, docker }) => {
    const containers: Placed[] = []
    for (const network of networks) {
      await ensureNetwork(docker, network)
      const container = { name: `${network.name}-${name}`, network: network.name }
      await ensureContainer(docker, container)
      containers.push({ ...container, address: await addressOf(docker, container.name), docker })
    }
    return containers
  })
  return (await Promise.all(placed)).flat()
}

function describeLab({ hosts }: Lab): string {
  const [first] = hosts
  return `${hosts.length} hosts with Docker ${first?.engineVersion}, and a router between them`
}

function describeEtcd({ settings }: EtcdCluster): string {
  const endpoints = settings['ROMANA_ETCD_ENDPOINTS'] ?? ''
  return `etcd, with certificates and users, at ${endpoints.replaceAll(',', ', ')}`
}

function describeJoined(host: LabHost): () => string {
  return () => `Plugin ${PLUGIN} on ${host.name}, which has joined`
}

function describeContainers(containers: readonly Placed[]): string {
  return `Networks ${NETWORKS.slice(0, NETWORKS_HERE)
    .map(({ name }) => name)
    .join(' and ')} and ${containers.length / NETWORKS_HERE} containers on each`
}

function nextCommands(hosts: readonly LabHost[], containers: readonly Placed[]): string {
  const [first] = hosts
  const far = containers.findLast(({ network }) => network === NETWORKS[0]?.name)
  const enter = first?.enterCommand.join(' ') ?? ''
  const socket = first?.rootPath('/run/romana/admin.sock')
  const commands = [
    [
      'reaches its own segment on the last host',
      `${enter} docker exec ${containers[0]?.name} wget -q -O - http://${far?.address}`,
    ],
    ['what a host carries for the others', `${enter} ip route show table 8200`],
    ['the hosts', `node dist/romana.js host list --socket ${socket}`],
    ['every container', `node dist/romana.js endpoint list --all --socket ${socket}`],
    ['remove all of it', 'npm run down'],
  ]
  return `Try next:\n${commands.map(([what, command]) => `  # ${what}\n  ${command}`).join('\n')}`
}
