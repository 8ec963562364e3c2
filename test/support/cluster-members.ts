/** Containers of every tenant, segment and host of a cluster. */
import type { LabHost } from '../../lab/lab-host.ts'
import { expectedReachability, type Member, reachability, startMember } from './reach.ts'
import { createSegmentNetwork } from './romana-host.ts'

export interface MembersWish {
  readonly tenants: readonly string[]
  readonly segments: readonly string[]
  /** In each segment on each host. */
  readonly count: number
}

/** Networks by the same options on each host, and containers "h1-blue-web-1". */
export async function startMembers(hosts: readonly LabHost[], wish: MembersWish): Promise<Member[]> {
  const members = await Promise.all(hosts.map((host) => startMembersOn(host, wish)))
  return members.flat()
}

/** @throws ExecaError */
export async function startMembersOn(
  host: LabHost,
  { tenants, segments, count }: MembersWish,
): Promise<Member[]> {
  const members: Member[] = []
  for (const tenant of tenants) {
    for (const segment of segments) {
      const network = await createSegmentNetwork(host, tenant, segment)
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

/** The pairs that are not as they must be, both ways: "- …" is missing, "+ …" is too much. Empty: exactly the segments. */
export async function wrongPairs(members: readonly Member[]): Promise<string[]> {
  const seen = new Set((await reachability(members)).split('\n'))
  const wanted = new Set(expectedReachability(members, inOneSegment).split('\n'))
  return [
    ...[...wanted].filter((line) => !seen.has(line)).map((line) => `- ${line}`),
    ...[...seen].filter((line) => !wanted.has(line)).map((line) => `+ ${line}`),
  ]
}
