/** Who reaches whom: every ordered pair of containers by ICMP, TCP and UDP, asked and judged in their network namespaces. */
import type { LabHost } from '../../lab/lab-host.ts'
import { sandboxesOn } from '../../lab/sandboxes.ts'
import type { Place } from '../truth-table/place.ts'
import { openAgents, PROBES, type Probe, type ProbeAgents } from '../truth-table/probe-agent.ts'
import { probeTable } from '../truth-table/prober.ts'
import type { Station } from '../truth-table/station.ts'
import { address6Of, addressOf, IMAGE } from './romana-host.ts'

/** A container that serves and probes. */
export interface Member {
  readonly name: string
  readonly address: string
  /** Where it runs. */
  readonly host: LabHost
}

const TCP_PORT = 7000
const UDP_PORT = 7001
/** Of both families. */
const UDP_LOGS = '/tmp/udp /tmp/udp6'

/** Answers TCP with its own name and the caller's address, and notes what comes by UDP. */
function serverScript(name: string): string {
  return [
    'mkdir -p /www/cgi-bin',
    `printf '#!/bin/sh\\necho\\necho ${name} saw $REMOTE_ADDR\\n' > /www/cgi-bin/who`,
    'chmod +x /www/cgi-bin/who',
    `httpd -p ${TCP_PORT} -h /www`,
    `touch ${UDP_LOGS}`,
    `netcat -6 -l -u -k ${UDP_PORT} > /tmp/udp6 &`,
    `exec netcat -4 -l -u -k ${UDP_PORT} > /tmp/udp`,
  ]
    .join('; ')
    .replaceAll('&; ', '& ')
}

/** @param args of `docker run` */
export async function startMember(
  host: LabHost,
  name: string,
  network: string,
  ...args: string[]
): Promise<Member> {
  const script = serverScript(name)
  await host.docker([
    'run',
    '--detach',
    '--name',
    name,
    '--network',
    network,
    ...args,
    IMAGE,
    'sh',
    '-c',
    script,
  ])
  return { name, address: await addressOf(host, name), host }
}

/** The same container by its IPv6 address. */
export async function byIpv6(member: Member): Promise<Member> {
  return { ...member, address: await address6Of(member.host, member.name) }
}

/** One line an ordered pair: "a -> b: icmp tcp udp", or "a -> b: nothing". Sorted. */
export async function reachability(members: readonly Member[]): Promise<string> {
  await using agents = openAgents()
  const stations = await stationsOf(members, agents)
  const seen = await probeTable(stations, PROBES.filter(isOfTable))
  const words = new Map(seen.map((cell) => [`${cell.from.name} ${cell.probe} ${cell.to.name}`, cell.outcome]))
  return formatPairs(members, (from, to) =>
    PROTOCOLS.flatMap((protocol) => wordOf(protocol, words.get(`${from.name} ${protocol} ${to.name}`))),
  )
}

const PROTOCOLS = ['icmp', 'tcp', 'udp'] as const

function isOfTable({ name }: Probe): boolean {
  return PROTOCOLS.some((protocol) => protocol === name)
}

/** Nothing for what did not come through; what came otherwise than it should is told. */
function wordOf(protocol: string, outcome: string | undefined): string[] {
  if (outcome === 'reached') return [protocol]
  return outcome === 'dropped' || outcome === 'unroutable' ? [] : [`${protocol} (${outcome})`]
}

/** Each is known, and called, by the one address that its member has. */
async function stationsOf(members: readonly Member[], agents: ProbeAgents): Promise<Station[]> {
  const hosts = [...new Set(members.map(({ host }) => host))]
  const stations = hosts.map(async (host) => {
    const own = members.filter((member) => member.host === host)
    const sandboxes = await sandboxesOn(
      host,
      own.map(({ name }) => name),
    )
    return await Promise.all(own.map((member) => stationOf(member, sandboxes.get(member.name), agents)))
  })
  return (await Promise.all(stations)).flat()
}

async function stationOf(
  { name, address }: Member,
  netns: string | undefined,
  agents: ProbeAgents,
): Promise<Station> {
  if (netns === undefined) throw new Error(`The container ${name} has no sandbox`)
  const place: Place = { name, kind: 'container' }
  const doors = [{ name, place, address }]
  return { ...place, doors, sources: [address], agent: await agents.in(netns) }
}

/** The table that must be seen when `together` says which pairs belong together. It knows nothing of addresses. */
export function expectedReachability(
  members: readonly Member[],
  together: (a: string, b: string) => boolean,
): string {
  return formatPairs(members, (from, to) => (together(from.name, to.name) ? PROTOCOLS : []))
}

function formatPairs(
  members: readonly Member[],
  protocols: (from: Member, to: Member) => readonly string[],
): string {
  const lines = members.flatMap((from) =>
    members
      .filter((to) => to.name !== from.name)
      .map((to) => `${from.name} -> ${to.name}: ${protocols(from, to).join(' ') || 'nothing'}`),
  )
  return lines.sort().join('\n')
}
