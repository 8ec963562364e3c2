/**
 * The places of a lab: hosts, their containers as the engines list them, an outsider on the underlay and the world outside.
 * Those who are on no network know the way to it all the same, as an attacker would.
 */
import { execa } from 'execa'
import * as v from 'valibot'
import { runInNetwork } from '../../lab/host-namespaces.ts'
import type { Lab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { namespaceOf, namespacePath } from '../../lab/lab-names.ts'
import { attachHost, attachmentOf } from '../../lab/underlay.ts'
import { containersOn, networksOn, type SeenPlace } from './look-at-host.ts'
import type { Place } from './place.ts'
import { openAgents, type ProbeAgent } from './probe-agent.ts'
import type { Station, StationDoor } from './station.ts'
import { SITE_PREFIX6, type TruthLab, UNDERLAY } from './truth-lab.ts'

export interface TruthWorld extends AsyncDisposable {
  /** Of the outsider. */
  readonly outsiderNetns: string
  /** All who are there now: what came, went or moved since the last call is seen. */
  stations(): Promise<Station[]>
}

/** Where the outsider sits among the hosts. */
const OUTSIDER_NUMBER = 80
const OUTSIDER = 'outsider'

/** A place on its way to a station. */
interface Machine extends SeenPlace {
  /** Of all addresses those by which it is called; all without it. */
  readonly doors?: (addresses: readonly string[]) => readonly Omit<StationDoor, 'place'>[]
}

/** @throws ExecaError */
export async function openTruthWorld(truthLab: TruthLab): Promise<TruthWorld> {
  const { lab, hosts } = truthLab
  const outsider = await attachOutsider(truthLab)
  const agents = openAgents()
  return {
    outsiderNetns: outsider,
    async stations() {
      await teachWays(lab.router.netns, hosts)
      await teachWays(outsider, hosts)
      const onHosts = await Promise.all(hosts.map(machinesOn))
      const machines = [...onHosts.flat(), outsiderIn(outsider), outsideOf(lab)]
      return await Promise.all(
        machines.map(async (machine) => stationOf(machine, await agents.in(machine.netns))),
      )
    },
    [Symbol.asyncDispose]: () => agents[Symbol.asyncDispose](),
  }
}

async function attachOutsider({ lab, name }: TruthLab): Promise<string> {
  const netns = namespaceOf(name, OUTSIDER)
  const host = { name: OUTSIDER, netns, router: lab.router.netns }
  await attachHost(host, { kind: UNDERLAY, mtu: 1500 }, attachmentOf(UNDERLAY, OUTSIDER_NUMBER))
  return netns
}

/** To what host N has behind it, by the plans and bridges of the tests: 172.30.N.0/24 and 172.31.N.0/24 are Docker's. */
async function teachWays(netns: string, hosts: readonly LabHost[]): Promise<void> {
  const lines = hosts.flatMap(({ address, address6 }, index) => {
    const number = index + 1
    const prefixes = [`10.${number}.0.0/16`, `172.30.${number}.0/24`, `172.31.${number}.0/24`]
    return [
      ...prefixes.map((prefix) => `route replace ${prefix} via ${address}`),
      `route replace ${SITE_PREFIX6}:${number}::/64 via ${address6}`,
    ]
  })
  await runInNetwork(netns, 'ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
}

async function machinesOn(host: LabHost): Promise<Machine[]> {
  const networks = await networksOn(host)
  const gateways = networks
    .filter(({ driver }) => driver !== 'bridge')
    .flatMap((network) =>
      network.gateways.map((address) => ({
        name: `${host.name} by ${network.name}`,
        gatewayOf: network.name,
        address,
      })),
    )
  const own = [host.address, host.address6].map((address) => ({ name: host.name, address }))
  const place: Place = { name: host.name, kind: 'host', host: host.name }
  const doors = (addresses: readonly string[]) =>
    [...own, ...gateways].filter(({ address }) => addresses.includes(address))
  return [{ place, netns: namespacePath(host.netns), doors }, ...(await containersOn(host, networks))]
}

function outsiderIn(netns: string): Machine {
  return { place: { name: OUTSIDER, kind: 'outsider' }, netns: namespacePath(netns) }
}

function outsideOf({ router }: Lab): Machine {
  const { address, address6 } = router.outside
  const doors = () => [address, address6].map((door) => ({ name: 'outside', address: door }))
  return { place: { name: 'outside', kind: 'outside' }, netns: namespacePath(router.netns), doors }
}

async function stationOf({ place, netns, doors }: Machine, agent: ProbeAgent): Promise<Station> {
  const sources = await addressesIn(netns)
  const called = doors?.(sources) ?? sources.map((address) => ({ name: place.name, address }))
  const named = called.map((door) => ({ ...door, name: nameOf(door), place }))
  return { ...place, agent, sources, doors: named }
}

function nameOf({ name, address }: Omit<StationDoor, 'place'>): string {
  return address.includes(':') ? `${name} over IPv6` : name
}

const IpAddresses = v.array(
  v.object({ addr_info: v.array(v.object({ scope: v.string(), local: v.optional(v.string()) })) }),
)

/** Those of the scope global. */
async function addressesIn(netns: string): Promise<string[]> {
  const { stdout } = await execa('nsenter', [`--net=${netns}`, 'ip', '-json', 'address', 'show'])
  return v
    .parse(IpAddresses, JSON.parse(stdout))
    .flatMap((link) => link.addr_info)
    .flatMap(({ scope, local }) => (scope === 'global' && local !== undefined ? [local] : []))
}
