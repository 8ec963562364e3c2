/**
 * Flows that must not notice something: TCP connections that send a number every 50 ms, and pings every 100 ms, between
 * containers. A lost packet shows, also where TCP repairs the loss.
 */
import { join } from 'node:path'
import { sandboxesOn } from '../../lab/sandboxes.ts'
import { type PerlAgent, startPerlAgent } from './perl-agent.ts'
import type { Member } from './reach.ts'

/** From one container to another. */
export interface Flow {
  readonly from: Member
  readonly to: Member
}

/** From a container to an address that answers pings. */
export interface PingFlow {
  readonly from: Member
  readonly to: Pick<Member, 'name' | 'address'>
}

export interface Flows extends AsyncDisposable {
  /**
   * What is wrong with them, a line each: "a -> b: 99 of 100 pings", a connection that has ended, has a gap, had to send
   * something again, or got fewer numbers than `least`.
   */
  losses(least?: number): Promise<string[]>
}

const PROGRAM = join(import.meta.dirname, 'flow-agent.pl')
const FIRST_PORT = 9000

/** Each connection is known by its port. @throws ExecaError, Error when a connection does not come about */
export async function startFlows(wish: {
  readonly connections?: readonly Flow[]
  readonly pings?: readonly PingFlow[]
}): Promise<Flows> {
  const { connections = [], pings = [] } = wish
  const members = [
    ...new Set([...connections.flatMap(({ from, to }) => [from, to]), ...pings.map(({ from }) => from)]),
  ]
  const agents = await startAgents(members)
  for (const [index, { to }] of connections.entries()) await agentOf(agents, to).ask('listen', portOf(index))
  for (const [index, { from, to }] of connections.entries())
    await agentOf(agents, from).ask('connect', portOf(index), to.address)
  for (const { from, to } of pings) await agentOf(agents, from).ask('ping', to.address)
  return {
    async losses(least = 0) {
      const reports = new Map<Member, string[]>()
      for (const [member, agent] of agents) reports.set(member, await agent.ask('report'))
      const wordsOf = (member: Member, ...head: readonly string[]) =>
        findWords(reports.get(member) ?? [], head)
      return [
        ...connections.flatMap(({ from, to }, index) => {
          const [count, state] = wordsOf(to, 'received', portOf(index))
          const [repeated, sentState] = wordsOf(from, 'sent', portOf(index), to.address)
          const name = `${from.name} -> ${to.name}`
          return [
            ...(state === 'whole' && sentState === 'open' ? [] : [`${name}: ${state}, ${sentState}`]),
            ...(Number(count) < least ? [`${name} got ${count} of ${least} numbers`] : []),
            ...(repeated === '0' ? [] : [`${name} sent ${repeated} segments again`]),
          ]
        }),
        ...pings.flatMap(({ from, to }) => {
          const [sent, answered] = wordsOf(from, 'pinged', to.address)
          return sent === answered ? [] : [`${from.name} -> ${to.name}: ${answered} of ${sent} pings`]
        }),
      ]
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents.values()].map((agent) => agent[Symbol.asyncDispose]()))
    },
  }
}

async function startAgents(members: readonly Member[]): Promise<Map<Member, PerlAgent>> {
  const agents = new Map<Member, PerlAgent>()
  for (const host of new Set(members.map((member) => member.host))) {
    const own = members.filter((member) => member.host === host)
    const sandboxes = await sandboxesOn(
      host,
      own.map(({ name }) => name),
    )
    for (const member of own)
      agents.set(member, await startPerlAgent(PROGRAM, sandboxes.get(member.name) ?? ''))
  }
  return agents
}

function agentOf(agents: ReadonlyMap<Member, PerlAgent>, member: Member): PerlAgent {
  const agent = agents.get(member)
  if (agent === undefined) throw new Error(`${member.name} has no agent`)
  return agent
}

/** What stands behind the first words in the line that begins so. */
function findWords(lines: readonly string[], head: readonly string[]): string[] {
  const start = `${head.join(' ')} `
  const line = lines.find((candidate) => candidate.startsWith(start))
  if (line === undefined) throw new Error(`The agent says nothing of ${start}`)
  return line.slice(start.length).split(' ')
}

function portOf(index: number): string {
  return String(FIRST_PORT + index)
}
