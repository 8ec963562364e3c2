/** Hosts behind a router that knows their prefixes only, Docker 28 and 20.10 among them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startMembers, wrongPairs } from '../support/cluster-members.ts'
import { byIpv6, type Member } from '../support/reach.ts'
import { type RomanaCluster, startRomanaCluster } from '../support/romana-cluster.ts'

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

it('a host has no route to another one: its router has them', async () => {
  for (const host of cluster.hosts) {
    const { stdout } = await host.runInside('ip', ['route', 'show', 'table', '8200'])
    const others = stdout
      .split('\n')
      .filter((line) => line.includes(' via '))
      .map((line) => line.trim())
    expect(others).toEqual([expect.stringMatching(/^10\.0\.0\.0\/8 via 198\.18\.\d\.1 dev eth0 proto 82$/)])
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
