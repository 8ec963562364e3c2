/** What happens to a cluster when its store does not: a leader dies, a majority is gone, one host is cut off, history is compacted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { startMembers, wrongPairs } from '../support/cluster-members.ts'
import { type PingFlow, startFlows } from '../support/flows.ts'
import type { Member } from '../support/reach.ts'
import { type RomanaCluster, romanaOn, startRomanaCluster, statusOf } from '../support/romana-cluster.ts'
import { startIdle } from '../support/romana-host.ts'
import { type Churn, churn } from '../support/segment-churn.ts'

/** So long a majority is away, in milliseconds. */
const OUTAGE_MS = 60_000
/** All is right again by then. */
const SETTLED = { timeout: 5_000, interval: 100 }

let cluster: RomanaCluster
let hosts: readonly LabHost[]
let members: Member[]
let pings: PingFlow[]

beforeAll(async () => {
  cluster = await startRomanaCluster({
    lab: 'faults',
    underlay: 'layer2',
    hosts: [1, 2, 3].map(() => ({ release: 'sid' })),
  })
  hosts = cluster.hosts
  members = await startMembers(hosts, { tenants: ['blue', 'green'], segments: ['web'], count: 1 })
  pings = members.map((from) => ({ from, to: partnerOf(from) }))
})
afterAll(() => cluster?.[Symbol.asyncDispose]())

describe('traffic and containers do not notice', () => {
  it('that the leader of the store is killed', async () => {
    await undisturbed(async () => {
      const leader = await cluster.etcd.leader()
      await cluster.etcd.kill(leader)
      await startAndRemove('leader')
      await cluster.etcd.waitUntilHealthy()
      await cluster.etcd.revive(leader)
    })
    await expectSettled()
  })

  it('that a majority is gone for a minute', async () => {
    const [first, second] = hosts
    if (first === undefined || second === undefined) throw new Error('No hosts')
    await undisturbed(async () => {
      for (const member of [first, second]) await cluster.etcd.kill(member)
      const startedMs = performance.now()
      await startAndRemove('quorum')
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS - (performance.now() - startedMs)))
      for (const member of [first, second]) await cluster.etcd.revive(member, false)
      await cluster.etcd.waitUntilHealthy()
    })
    await expectSettled()
  })

  it('that one host is cut off from the store alone', async () => {
    const [, , third] = hosts
    if (third === undefined) throw new Error('No host')
    const rule = ['OUTPUT', '-p', 'tcp', '--dport', '2379', '-j', 'DROP']
    await undisturbed(async () => {
      await third.runInside('iptables', ['-I', ...rule])
      await expect.poll(() => isReached(third), { timeout: 15_000 }).toBe(false)
      await startAndRemove('cut')
      await third.runInside('iptables', ['-D', ...rule])
    })
    await expect.poll(() => isReached(third), { timeout: 10_000 }).toBe(true)
    await expectSettled()
  })

  it('that the history is compacted under the watches', async () => {
    await undisturbed(async () => {
      const { stdout } = { stdout: await cluster.etcd.ctl(['endpoint', 'status', '--write-out=fields']) }
      const revision = /"Revision" : (\d+)/.exec(stdout)?.[1] ?? ''
      await cluster.etcd.ctl(['compact', revision])
      await startAndRemove('compacted')
    })
    await expectSettled()
  })
})

it('three hosts make and remove tenants and segments at once, a thousand times, and no two share a number', async () => {
  const results = await Promise.all(hosts.map((host, index) => churn(host, index, 334)))
  const done = results.reduce((sum: number, each: Churn) => sum + each.done, 0)
  expect(done).toBeGreaterThanOrEqual(1_000)
  expect(results.flatMap(({ surprises }) => surprises)).toEqual([])
  const segments = JSON.parse((await romanaOn(first(), 'segment list --json')).stdout)
  const numbers = segments.map(
    ({ tenantNumber, number }: { tenantNumber: number; number: number }) => `${tenantNumber}.${number}`,
  )
  expect(new Set(numbers).size).toBe(numbers.length)
  for (const host of hosts.slice(1))
    expect(JSON.parse((await romanaOn(host, 'segment list --json')).stdout).map(withoutCell)).toEqual(
      segments.map(withoutCell),
    )
}, 600_000)

/** The same cell has another prefix on another host. */
function withoutCell({ cell: _, ...segment }: { cell: string }): object {
  return segment
}

function first(): LabHost {
  const [host] = hosts
  if (host === undefined) throw new Error('No host')
  return host
}

/** Every container pings another one all the while, and loses nothing. */
async function undisturbed(task: () => Promise<void>): Promise<void> {
  await using flows = await startFlows({ pings })
  await task()
  expect(await flows.losses()).toEqual([])
}

async function startAndRemove(name: string): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      await startIdle(host, `${name}-${host.name}`, 'blue-web')
      await host.docker(['rm', '--force', `${name}-${host.name}`])
    }),
  )
}

async function expectSettled(): Promise<void> {
  for (const host of hosts) await expect.poll(() => isReached(host), { timeout: 10_000 }).toBe(true)
  const listed = async (host: LabHost) => {
    const { stdout } = await romanaOn(host, 'endpoint list --all --json')
    return JSON.parse(stdout)
      .map(({ address }: { address: string }) => address)
      .sort()
      .join(' ')
  }
  const present = members
    .map(({ address }) => address)
    .sort()
    .join(' ')
  for (const host of hosts) await expect.poll(() => listed(host), SETTLED).toBe(present)
  expect(await wrongPairs(members)).toEqual([])
}

async function isReached(host: LabHost): Promise<boolean | undefined> {
  return (await statusOf(host)).cluster?.isReached
}

/** The container of the same segment on the next host. */
function partnerOf({ name, host }: Member): Member {
  const next = hosts[(hosts.indexOf(host) + 1) % hosts.length]
  const segment = name.split('-').slice(1, 3).join('-')
  const found = members.find((other) => other.host === next && other.name.includes(segment))
  if (found === undefined) throw new Error(`No partner for ${name}`)
  return found
}
