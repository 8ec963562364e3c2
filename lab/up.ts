/**
 * `npm run up`: the plugin, three networks and four containers on a Docker engine, and a look at who reaches whom. With
 * `-- --hosts N`: the same on N hosts that share an etcd.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Docker, IMAGE, loadImage, packImage } from './image.ts'
import { runMain, step } from './steps.ts'
import { upCluster } from './up-cluster.ts'
import { findEngine, hasImage, type UpEngine } from './up-engine.ts'
import {
  addressOf,
  CONTAINERS,
  ensureContainer,
  ensureNetwork,
  NETWORKS,
  type NetworkMade,
  type UpNetwork,
} from './up-networks.ts'
import { buildTime, ensureBuilt, ensureInstalled, isInstalled, PLUGIN } from './up-plugin.ts'
import { type Placed, showReach } from './up-reach.ts'
import { readUpState, type UpState, writeUpState } from './up-state.ts'

async function main(): Promise<void> {
  const hosts = readHosts()
  await step(ensureBuilt, (built) => (built ? 'Built the plugin into dist/plugin' : undefined))
  if (hosts !== undefined) return upCluster(hosts)
  const before = readUpState()
  const engine = await step(() => findEngine(before), describeEngine)
  const state = await prepare(engine, before?.engine === engine.kind ? before : await firstState(engine))
  const plan = (await makeNetworks(engine.docker)) ?? state.plan
  if (plan !== undefined) writeUpState({ ...state, plan })
  const containers = await step(() => startContainers(engine.docker), describeContainers)
  await showReach(containers)
  console.log(nextCommands(engine.command, containers, plan))
}

/** How many hosts; undefined for one engine without a cluster. */
function readHosts(): number | undefined {
  const { hosts } = parseArgs({ options: { hosts: { type: 'string' } } }).values
  if (hosts === undefined) return undefined
  if (/^[1-9]$/.test(hosts)) return Number(hosts)
  throw new Error(`Cannot start "${hosts}" hosts: --hosts takes a number from 1 to 9`)
}

/** Image and plugin. `down` knows what to remove from the first step on, also when this run is cut. */
async function prepare(engine: UpEngine, state: UpState): Promise<UpState> {
  writeUpState(state)
  await step(
    () => ensureImage(engine),
    (loaded) => (loaded ? `Image ${IMAGE}` : undefined),
  )
  await step(
    () => ensureInstalled(engine, state.installedBuild),
    (done) => done && `Plugin ${PLUGIN} ${done}`,
  )
  const prepared = { ...state, installedBuild: buildTime() }
  writeUpState(prepared)
  return prepared
}

/** The plan that the plugin had to take, if any. */
async function makeNetworks(docker: Docker): Promise<string | undefined> {
  let plan: string | undefined
  for (const network of NETWORKS) {
    const made = await step(
      () => ensureNetwork(docker, network),
      (result) => describeNetwork(network, result),
    )
    plan = made?.changedPlan ?? plan
  }
  return plan
}

async function firstState(engine: UpEngine): Promise<UpState> {
  if (await isInstalled(engine.docker)) {
    const remedy = `Remove it first: ${engine.command} plugin rm --force ${PLUGIN}`
    throw new Error(
      `Cannot install the plugin ${PLUGIN}: the engine has one that is not of \`npm run up\`. ${remedy}`,
    )
  }
  return {
    engine: engine.kind,
    madeJournal: !existsSync(engine.rootPath('/var/lib/romana')),
    loadedImage: !(await hasImage(engine)),
  }
}

async function ensureImage(engine: UpEngine): Promise<boolean> {
  if (await hasImage(engine)) return false
  await loadImage(engine.docker, await packImage())
  return true
}

async function startContainers(docker: Docker): Promise<readonly Placed[]> {
  return await Promise.all(
    CONTAINERS.map(async (container) => {
      await ensureContainer(docker, container)
      return { ...container, address: await addressOf(docker, container.name), docker }
    }),
  )
}

function describeEngine({ kind, version }: UpEngine): string {
  const place = kind === 'machine' ? 'of this machine' : 'of its own, on a host that is a network namespace'
  return `Docker engine ${version} ${place}`
}

function describeNetwork(
  { name, tenant, segment }: UpNetwork,
  made: NetworkMade | undefined,
): string | undefined {
  if (made === undefined) return undefined
  const done = `Network ${name}: tenant ${tenant}, segment ${segment}`
  if (made.changedPlan === undefined) return done
  return `${done}\n          This host uses addresses of the plan otherwise; it is "${made.changedPlan}" now`
}

function describeContainers(containers: readonly Placed[]): string {
  return `Containers ${containers.map(({ name }) => name).join(', ')}`
}

function nextCommands(docker: string, containers: readonly Placed[], plan: string | undefined): string {
  const addressIn = (network: string) => containers.findLast((each) => each.network === network)?.address
  const planOption = plan === undefined ? '' : `--plan='${plan}' `
  const commands = [
    ['reaches its own segment', `${docker} exec blue-web-1 wget -q -O - http://${addressIn('blue-web')}`],
    ['does not reach another tenant', `${docker} exec blue-web-1 ping -c 1 -W 1 ${addressIn('green-web')}`],
    ['one more container', `${docker} run --rm -it --network blue-web ${IMAGE}`],
    ['what an address says', `node dist/romana.js address ${planOption}${addressIn('blue-db')}`],
    ['remove all of it', 'npm run down'],
  ]
  return `Try next:\n${commands.map(([what, command]) => `  # ${what}\n  ${command}`).join('\n')}`
}

await runMain(main)
