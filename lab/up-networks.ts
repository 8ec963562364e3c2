/** The networks and containers that `npm run up` makes: two tenants, and two segments of one of them. */
import { type Docker, IMAGE } from './image.ts'
import { changePlan } from './up-plugin.ts'

/** On all that `up` makes, so that `down` removes nothing else. */
const LABEL = 'romana.up'
const ADDRESS_FIELD = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'

/** A network: a segment of a tenant. */
export interface UpNetwork {
  readonly name: string
  readonly tenant: string
  readonly segment: string
}

/** A container that answers to ping and on TCP port 80. */
export interface UpContainer {
  readonly name: string
  readonly network: string
}

/** In the order in which they are made. */
export const NETWORKS: readonly UpNetwork[] = [
  { name: 'blue-web', tenant: 'blue', segment: 'web' },
  { name: 'green-web', tenant: 'green', segment: 'web' },
  { name: 'blue-db', tenant: 'blue', segment: 'db' },
]

/** One more in blue-web, so that something is to be reached. */
export const CONTAINERS: readonly UpContainer[] = [
  { name: 'blue-web-1', network: 'blue-web' },
  { name: 'blue-web-2', network: 'blue-web' },
  { name: 'green-web-1', network: 'green-web' },
  { name: 'blue-db-1', network: 'blue-db' },
]

/** How a network came about: with `changedPlan` the plugin had to take another plan first. */
export interface NetworkMade {
  readonly changedPlan: string | undefined
}

/** Makes a network; undefined when it is there. @throws ExecaError */
export async function ensureNetwork(docker: Docker, network: UpNetwork): Promise<NetworkMade | undefined> {
  const { exitCode } = await docker(['network', 'inspect', network.name], { reject: false })
  if (exitCode === 0) return undefined
  const args = createArguments(network)
  const first = await docker(args, { reject: false })
  if (first.exitCode === 0) return { changedPlan: undefined }
  const changedPlan = freePlanOf(first.stderr)
  if (changedPlan !== undefined) await changePlan(docker, changedPlan)
  await docker(args)
  return { changedPlan }
}

/** Pure. */
function createArguments({ name, tenant, segment }: UpNetwork): readonly string[] {
  return [
    ...['network', 'create', '--driver', 'romana', '--ipam-driver', 'romana', '--label', LABEL],
    ...['--ipam-opt', `tenant=${tenant}`, '--ipam-opt', `segment=${segment}`, name],
  ]
}

/** The plan that a refusal for overlap offers; undefined for any other message. Pure. */
export function freePlanOf(message: string): string | undefined {
  return message.includes('E_PLAN_OVERLAP') ? /ROMANA_PLAN="([^"]+)"/.exec(message)?.[1] : undefined
}

/** Runs a container, or starts it when it is there. @throws ExecaError */
export async function ensureContainer(docker: Docker, { name, network }: UpContainer): Promise<void> {
  const { exitCode } = await docker(['container', 'inspect', name], { reject: false })
  const options = ['--detach', '--name', name, '--network', network, '--label', LABEL]
  const server = ['httpd', '-f', '-p', '80', '-h', '/www']
  await docker(exitCode === 0 ? ['start', name] : ['run', ...options, IMAGE, ...server])
}

/** The IPv4 address of a container on its only network. @throws ExecaError */
export async function addressOf(docker: Docker, container: string): Promise<string> {
  const { stdout } = await docker(['inspect', '--format', ADDRESS_FIELD, container])
  return stdout
}

/** Removes the containers, then the networks. @throws ExecaError when a container of somebody else uses a network */
export async function removeNetworks(docker: Docker): Promise<void> {
  const filter = ['--quiet', '--filter', `label=${LABEL}`]
  const containers = lines((await docker(['ps', '--all', ...filter])).stdout)
  if (containers.length > 0) await docker(['rm', '--force', ...containers])
  const networks = lines((await docker(['network', 'ls', ...filter])).stdout)
  if (networks.length > 0) await docker(['network', 'rm', ...networks])
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
