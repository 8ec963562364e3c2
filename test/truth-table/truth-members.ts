/**
 * The containers of a truth table: of every tenant and segment, of an internal network and one without IPv4, and of Docker's own
 * bridges.
 */
import type { LabHost } from '../../lab/lab-host.ts'
import { createNetwork, startIdle } from '../support/romana-host.ts'

const TENANTS = ['blue', 'green', 'red', 'grey'] as const
const SEGMENTS = ['web', 'db'] as const
const NUMBERS = [1, 2] as const

/** Arguments of the engine of this host, from 1 on: docker0 where others know it, and containers that outlive the engine. */
export function engineArgsOf(number: number): string[] {
  return ['--live-restore', `--bip=172.30.${number}.1/24`]
}

/** Makes networks and containers "blue-web-1", of both families on Romana's networks but one. @throws ExecaError */
export async function startTruthMembers(host: LabHost, number: number): Promise<void> {
  const segments = TENANTS.flatMap((tenant) => SEGMENTS.map((segment) => ({ tenant, segment })))
  for (const { tenant, segment } of segments) await createTruthNetwork(host, tenant, segment)
  await createTruthNetwork(host, 'grey', 'vault', '--internal')
  await createTruthNetwork(host, 'blue', 'six', '--ipv4=false')
  const subnet = (last: string) => ['--subnet', `172.31.${number}.${last}/25`]
  await host.docker(['network', 'create', ...subnet('0'), 'lan'])
  await host.docker(['network', 'create', '--internal', ...subnet('128'), 'cellar'])
  const ofSegments = segments.map(({ tenant, segment }) => `${tenant}-${segment}`)
  const networks = [...ofSegments, 'grey-vault', 'blue-six', 'lan']
  for (const network of networks)
    for (const each of NUMBERS) await startIdle(host, `${network}-${each}`, network)
  for (const network of ['cellar', 'bridge']) await startIdle(host, `${network}-1`, network)
}

/** A network of a segment, called TENANT-SEGMENT, over both families. @throws ExecaError */
export async function createTruthNetwork(
  host: LabHost,
  tenant: string,
  segment: string,
  ...args: readonly string[]
): Promise<void> {
  const options = ['--ipam-opt', `tenant=${tenant}`, '--ipam-opt', `segment=${segment}`]
  await createNetwork(host, `${tenant}-${segment}`, '--ipv6', ...options, ...args)
}
