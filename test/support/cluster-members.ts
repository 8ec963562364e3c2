/** Containers of every tenant, segment and host of a cluster. */
import type { LabHost } from '../../lab/lab-host.ts'
import { expectedReachability, type Member, reachability, startMember } from './reach.ts'
import { createSegmentNetwork } from './romana-host.ts'

export interface MembersWish {
  readonly tenants: readonly string[]
  readonly segments: readonly string[]
  /** In each segment on each host. */
  readonly count: number
  /** More options of the networks. */
  readonly options?: readonly string[]
}

/** Networks by the same options on each host, and containers "h1-blue-web-1". */
export async function startMembers(hosts: readonly LabHost[], wish: MembersWish): Promise<Member[]> {
  const members = await Promise.all(hosts.map((host) => startMembersOn(host, wish)))
  return members.flat()
}

/** @throws ExecaError */
export async function startMembersOn(
  host: LabHost,
  { tenants, segments, count, options = [] }: MembersWish,
): Promise<Member[]> {
  const members: Member[] = []
  for (const tenant of tenants) {
    for (const segment of segments) {
      const network = await createSegmentNetwork(host, tenant, segment, ...options)
      for (let number = 1; number <= count; number += 1)
        members.push(await startMember(host, `${host.name}-${network}-${number}`, network))
    }
  }
  return members
}

/** "h1-blue-web-1" and "h2-blue-web-2" are in one segment. */
export function inOneSegment(a: string, b: string): boolean {
  return segmentOf(a) === segmentOf(b)
}

function segmentOf(name: string): string {
  return name.split('-').slice(1, 3).join('-')
}

/**
 * The pairs that are not as they must be: "missing a -> b: tcp", "too much a -> b: icmp". Empty: exactly the segments. Who misses something is
 * asked once more, since all are asked at once and a machine may be busy; what came through though it must not counts at once.
 */
export async function wrongPairs(members: readonly Member[]): Promise<string[]> {
  const first = await compare(members)
  if (first.missing.length === 0) return first.tooMuch
  const second = await compare(members)
  return [...first.tooMuch, ...second.tooMuch, ...second.missing]
}

async function compare(members: readonly Member[]): Promise<{ missing: string[]; tooMuch: string[] }> {
  const seen = answersOf(await reachability(members))
  const wanted = answersOf(expectedReachability(members, inOneSegment))
  return {
    missing: [...wanted].filter((answer) => !seen.has(answer)).map((answer) => `missing ${answer}`),
    tooMuch: [...seen].filter((answer) => !wanted.has(answer)).map((answer) => `too much ${answer}`),
  }
}

/** "a -> b: icmp tcp" is two answers. */
function answersOf(table: string): Set<string> {
  return new Set(
    table.split('\n').flatMap((line) => {
      const [pair = '', protocols = ''] = line.split(': ')
      return protocols.split(' ').flatMap((each) => (each === 'nothing' ? [] : [`${pair}: ${each}`]))
    }),
  )
}
