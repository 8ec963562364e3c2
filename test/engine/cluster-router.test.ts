/** Hosts behind a router that knows their prefixes only, Docker 28 and 20.10 among them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startMembers, wrongPairs } from '../support/cluster-members.ts'
import { byIpv6, type Member, startMember } from '../support/reach.ts'
import {
  applyPolicies,
  type RomanaCluster,
  startRomanaCluster,
  typeRomana,
} from '../support/romana-cluster.ts'

const WEB = { appliesTo: [{ tenant: 'blue', segment: 'web' }] }
/** Milliseconds. */
const HOLDS_WITHIN_MS = 1_000
const CUT_WITHIN_MS = 2_000

let cluster: RomanaCluster
let members: Member[]

beforeAll(async () => {
  cluster = await startRomanaCluster({
    lab: 'router',
    underlay: 'layer3',
    hosts: (['sid', 'sid', 'sid', 'bookworm'] as const).map((release) => ({ release })),
  })
  members = await startMembers(cluster.hosts, {
    tenants: ['blue', 'green'],
    segments: ['web', 'db'],
    count: 1,
    options: ['--ipv6'],
  })
})
afterAll(() => cluster?.[Symbol.asyncDispose]())

it('each container reaches exactly those of its segment, whatever the engine of its host', async () => {
  expect(cluster.hosts.map(({ engineVersion }) => engineVersion.split('.')[0]).join(' ')).toMatch(
    /^(\d\d) \1 \1 20$/,
  )
  expect(await wrongPairs(members)).toEqual([])
  expect(await wrongPairs(await Promise.all(members.map(byIpv6)))).toEqual([])
})

it('a host reaches the others by its router, which has a route to each', async () => {
  for (const [index, host] of cluster.hosts.entries()) {
    const { stdout } = await host.runInside('ip', ['route', 'show', 'table', '8200'])
    const others = stdout
      .split('\n')
      .filter((line) => line.includes(' via '))
      .map((line) => line.trim())
    const router = host.address.replace(/\d+$/, '1')
    expect(others).toEqual(
      [1, 2, 3, 4]
        .filter((number) => number !== index + 1)
        .map((number) => `10.${number}.0.0/16 via ${router} dev eth0 proto 82`),
    )
  }
  const { stdout } = await cluster.lab.router.run('ip', ['route', 'show'])
  const six = await cluster.lab.router.run('ip', ['-6', 'route', 'show'])
  expect(six.stdout.match(/^fd\S+ via \S+/gm)?.map((line) => line.replace(/^.*? via /, ''))).toEqual([
    '2001:db8:1::11',
    '2001:db8:2::12',
    '2001:db8:3::13',
    '2001:db8:4::14',
  ])
  expect(stdout.match(/^10\.\S+ via \S+/gm)).toEqual([
    '10.1.0.0/16 via 198.18.1.11',
    '10.2.0.0/16 via 198.18.2.12',
    '10.3.0.0/16 via 198.18.3.13',
    '10.4.0.0/16 via 198.18.4.14',
  ])
})

it('a container reaches outside with the address of its host', async () => {
  const [member] = members
  if (member === undefined) throw new Error('No member')
  const ping = ['exec', member.name, 'ping', '-c', '1', '-W', '2', cluster.lab.router.outside.address]
  await member.host.docker(ping)
})

it('a policy holds on every host within a second, and what goes on there is cut within two', async () => {
  const web = members.filter(({ name }) => name.includes('-blue-web-'))
  const pairs = web.map((from, index) => ({ from, to: web[(index + 1) % web.length] ?? from }))
  for (const { from, to } of pairs)
    await from.host.docker([
      'exec',
      '--detach',
      from.name,
      'sh',
      '-c',
      `ping -i 0.1 ${to.address} > /tmp/pings`,
    ])
  const answers = () => Promise.all(pairs.map(({ from }) => countLines(from, '/tmp/pings')))
  const newOnes = () => Promise.all(pairs.map(({ from, to }) => reaches(from, to.address)))
  const [first] = cluster.hosts
  if (first === undefined) throw new Error('No host')
  await sleep(500)
  expect(Math.min(...(await answers()))).toBeGreaterThan(2)
  await applyPolicies(first, { policies: [{ name: 'shut', direction: 'ingress', ...WEB, default: 'deny' }] })
  await sleep(HOLDS_WITHIN_MS)
  expect(await newOnes()).toEqual(pairs.map(() => false))
  await sleep(CUT_WITHIN_MS - HOLDS_WITHIN_MS)
  const cut = await answers()
  await sleep(500)
  expect(await answers()).toEqual(cut)
  await typeRomana(first, 'policy remove shut')
  await sleep(HOLDS_WITHIN_MS)
  expect(await newOnes()).toEqual(pairs.map(() => true))
})

it('a published port obeys a policy, by the address of who calls', async () => {
  const [first] = cluster.hosts
  if (first === undefined) throw new Error('No host')
  const published = await startMember(first, 'published', 'blue-web', '--publish', '8080:7000')
  const { outside, run } = cluster.lab.router
  const calls = async (...from: readonly string[]) =>
    (await run('nc', ['-z', '-w', '1', ...from, first.address, '8080'], { reject: false })).exitCode === 0
  expect(await calls()).toBe(true)
  const allow = { peers: [{ cidr: `${outside.address}/32` }], rules: [{ protocol: 'tcp', ports: [7000] }] }
  await applyPolicies(first, {
    policies: [{ name: 'one', direction: 'ingress', ...WEB, default: 'deny', ...allow }],
  })
  await sleep(HOLDS_WITHIN_MS)
  expect([await calls(), await calls('-s', outside.address)]).toEqual([false, true])
  await typeRomana(first, 'policy remove one')
  await sleep(HOLDS_WITHIN_MS)
  expect(await calls()).toBe(true)
  await first.docker(['rm', '--force', published.name])
})

async function countLines({ host, name }: Member, file: string): Promise<number> {
  return (await host.docker(['exec', name, 'cat', file])).stdout.split('\n').length
}

async function reaches({ host, name }: Member, address: string): Promise<boolean> {
  const ping = ['exec', name, 'ping', '-c', '1', '-W', '1', address]
  return (await host.docker(ping, { reject: false })).exitCode === 0
}
