/**
 * Who reaches whom: every ordered pair of containers by ICMP, TCP and UDP, with the docker CLI and the programs of the
 * lab's image. UDP is judged at the receiver, TCP by what the receiver says of its caller.
 */
import type { LabHost } from '../../lab/lab-host.ts'
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

/** Containers that probe at the same time, each with three programs for every other one. */
const AT_ONCE = 12
/** How long a probe waits for its answer, in seconds, and all of a container's probes, in milliseconds: machines are busy at times. */
const PATIENCE_S = 3
const PROBES_MS = 180_000

let rounds = 0

/** One line an ordered pair: "a -> b: icmp tcp udp", or "a -> b: nothing". Sorted. */
export async function reachability(members: readonly Member[]): Promise<string> {
  rounds += 1
  const round = `round${rounds}`
  const reached = new Set<string>()
  for (let start = 0; start < members.length; start += AT_ONCE) {
    const some = members.slice(start, start + AT_ONCE)
    const ask = async (from: Member) =>
      collectAnswers(await probe(from, members, round), members, from, reached)
    await Promise.all(some.map(ask))
  }
  await Promise.all(members.map(async (to) => collectDatagrams(await datagrams(to), to, round, reached)))
  return formatPairs(members, (from, to) =>
    PROTOCOLS.filter((protocol) => reached.has(`${from.name} ${protocol} ${to.name}`)),
  )
}

const PROTOCOLS = ['icmp', 'tcp', 'udp'] as const

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

/** All probes of one source at once: what does not answer costs one time limit in all. */
async function probe(from: Member, members: readonly Member[], round: string): Promise<string> {
  const probes = members
    .filter((to) => to.name !== from.name)
    .map(({ name, address }) =>
      [
        `(ping -c 1 -W ${PATIENCE_S} ${address} > /dev/null 2>&1 && echo icmp ${name}) &`,
        `(timeout ${PATIENCE_S} wget -q -O - http://${address.includes(':') ? `[${address}]` : address}:${TCP_PORT}/cgi-bin/who 2>/dev/null | sed 's/^/tcp /') &`,
        `(echo ${round} ${from.name} | timeout ${PATIENCE_S} netcat -u -w 1 ${address} ${UDP_PORT} > /dev/null 2>&1) &`,
      ].join('\n'),
    )
  const script = `${probes.join('\n')}\nwait`
  const command = ['exec', from.name, 'sh', '-c', script]
  return (await from.host.docker(command, { timeoutMs: PROBES_MS })).stdout
}

/** "icmp NAME" and "tcp NAME saw ADDRESS". An answer by another name or for another caller is no answer. */
function collectAnswers(
  output: string,
  members: readonly Member[],
  from: Member,
  reached: Set<string>,
): void {
  for (const line of output.split('\n')) {
    // The server listens on [::], where it sees "[::ffff:10.1.17.2]".
    const [protocol, name, , seenAddress] = line
      .trim()
      .replaceAll(/\[::ffff:|[[\]]/g, '')
      .split(' ')
    if (!members.some((member) => member.name === name)) continue
    if (protocol === 'icmp' || (protocol === 'tcp' && seenAddress === from.address)) {
      reached.add(`${from.name} ${protocol} ${name}`)
    }
  }
}

async function datagrams(to: Member): Promise<string> {
  return (await to.host.docker(['exec', to.name, 'cat', ...UDP_LOGS.split(' ')])).stdout
}

function collectDatagrams(log: string, to: Member, round: string, reached: Set<string>): void {
  for (const line of log.split('\n')) {
    const [seenRound, from] = line.split(' ')
    if (seenRound === round) reached.add(`${from} udp ${to.name}`)
  }
}
