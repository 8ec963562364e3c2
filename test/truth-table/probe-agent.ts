/** A program that serves and probes inside a network namespace, started from outside; `probe-agent.pl` says what it does. */
import { join } from 'node:path'
import * as v from 'valibot'
import { startPerlAgent } from '../support/perl-agent.ts'

/** What is probed: a service of every place, its name server, and the kernel itself. */
export const PROBES = [
  { name: 'tcp', protocol: 'tcp', port: 7400 },
  { name: 'udp', protocol: 'udp', port: 7400 },
  { name: 'icmp', protocol: 'icmp', port: 0 },
  { name: 'dns-tcp', protocol: 'tcp', port: 53 },
  { name: 'dns', protocol: 'udp', port: 53 },
] as const
export type Probe = (typeof PROBES)[number]
export type ProbeName = Probe['name']

/** One probe of somebody at an address. */
export interface Target {
  readonly probe: Probe
  readonly address: string
}

/**
 * What a sender got back: `refused` by whoever sits there or on the way, `unroutable` when its own kernel knows no way, or
 * "error (TEXT)" when the probe could not be sent.
 */
export type Answer = string

/** What a kernel was about to give to its own programs. */
export interface Arrival {
  readonly probe: Probe
  readonly source: string
  readonly token: number
  readonly destination: string
  readonly count: number
}

export interface TokenRange {
  readonly first: number
  readonly last: number
}

export interface ProbeAgent extends AsyncDisposable {
  /** Sends one probe to each target, in a moment. @param token 16 bits: who sends, and when */
  send(token: number, targets: readonly Target[]): Promise<void>
  /** What has come back since, by place in the list of targets; later answers count no more. */
  answers(): Promise<Answer[]>
  /** Sends to each target every 100 ms, until it is called without any. */
  stream(token: number, targets: readonly Target[]): Promise<void>
  /** What has come since the last time with these tokens. */
  arrivals(tokens: TokenRange): Promise<Arrival[]>
}

const PROGRAM = join(import.meta.dirname, 'probe-agent.pl')

/** @param netns the namespace as a path. @throws Error when the program ends */
export async function startProbeAgent(netns: string): Promise<ProbeAgent> {
  const agent = await startPerlAgent(PROGRAM, netns)
  return {
    send: async (token, targets) =>
      void (await agent.ask('send', String(token), ...targets.map(formatTarget))),
    answers: async () => (await agent.ask('answers')).map((line) => line.replace(/^\S+ /, '')),
    stream: async (token, targets) =>
      void (await agent.ask('stream', String(token), ...targets.map(formatTarget))),
    arrivals: async ({ first, last }) =>
      (await agent.ask('arrivals', String(first), String(last))).map(parseArrival),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

/** Those that were asked for; all end together. */
export interface ProbeAgents extends AsyncDisposable {
  in(netns: string): Promise<ProbeAgent>
}

/** One agent a namespace. It stays when a container has gone, since somebody may still ask what came there. */
export function openAgents(): ProbeAgents {
  const agents = new Map<string, Promise<ProbeAgent>>()
  return {
    in(netns) {
      const agent = agents.get(netns) ?? startProbeAgent(netns)
      agents.set(netns, agent)
      return agent
    },
    async [Symbol.asyncDispose]() {
      const started = await Promise.allSettled(agents.values())
      await Promise.all(
        started.map((agent) =>
          agent.status === 'fulfilled' ? agent.value[Symbol.asyncDispose]() : undefined,
        ),
      )
    },
  }
}

function formatTarget({ probe, address }: Target): string {
  return `${probe.protocol}:${probe.port}:${address}`
}

const Words = v.tuple([
  v.string(),
  v.pipe(v.string(), v.toNumber()),
  v.string(),
  v.pipe(v.string(), v.toNumber()),
  v.string(),
  v.pipe(v.string(), v.toNumber()),
])

function parseArrival(line: string): Arrival {
  const [protocol, port, source, token, destination, count] = v.parse(Words, line.split(' '))
  const probe = PROBES.find((candidate) => candidate.protocol === protocol && candidate.port === port)
  if (probe === undefined) throw new Error(`Cannot read the arrival "${line}"`)
  return { probe, source, token, destination, count }
}
