/** From one host to several: the first one has networks already, and no container notices. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EtcdCluster, startEtcdCluster } from '../../lab/etcd-cluster.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { startFlows } from '../support/flows.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { romanaOn, statusOf } from '../support/romana-cluster.ts'
import { createSegmentNetwork, failureOf, PLUGIN, PLUGIN_DIRECTORY } from '../support/romana-host.ts'

const directory = mkdtempSync(join(tmpdir(), 'romana-ca-'))
let lab: Lab
let etcd: EtcdCluster
let first: LabHost
let second: LabHost
const members: Member[] = []

beforeAll(async () => {
  lab = await startLab({
    name: 'move',
    underlay: 'layer2',
    hosts: ['h1', 'h2'].map((name) => ({ name, release: 'sid' as const })),
  })
  const [a, b] = lab.hosts
  if (a === undefined || b === undefined) throw new Error('No hosts')
  first = a
  second = b
  etcd = await startEtcdCluster([first], directory)
  for (const host of lab.hosts) await etcd.equip(host)
  await first.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY })
  // So that tenant and segment are not number 1.
  for (const segment of ['db', 'web']) await createSegmentNetwork(first, 'green', segment)
  const network = await createSegmentNetwork(first, 'blue', 'web')
  for (const name of ['one', 'two']) members.push(await startMember(first, name, network))
})
afterAll(async () => {
  await lab?.stop()
  rmSync(directory, { recursive: true, force: true })
})

it('the first host brings its plan, number, tenants and segments along', async () => {
  const before = await segmentsOf(first)
  const [from, to] = members
  if (from === undefined || to === undefined) throw new Error('No members')
  await using flows = await startFlows({ pings: [{ from, to }] })
  await first.docker(['plugin', 'disable', '--force', PLUGIN])
  const values = Object.entries(etcd.settings).map(([name, value]) => `${name}=${value}`)
  await first.docker(['plugin', 'set', PLUGIN, ...values])
  await first.docker(['plugin', 'enable', PLUGIN])
  await expect
    .poll(() => statusOf(first), { timeout: 30_000, interval: 500 })
    .toMatchObject({ ready: true, host: 1 })
  expect(await segmentsOf(first)).toBe(before)
  members.push(await startMember(first, 'three', 'blue-web'))
  expect(await flows.losses()).toEqual([])
})

it('a second host joins the same segments', async () => {
  await second.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY, settings: etcd.settings })
  const network = await createSegmentNetwork(second, 'blue', 'web')
  members.push(await startMember(second, 'four', network))
  expect(members.map(({ address }) => address)).toEqual(['10.1.33.2', '10.1.33.3', '10.1.33.4', '10.2.33.2'])
  expect(await reachability(members)).toBe(expectedReachability(members, () => true))
})

it('a host with networks of its own is told what stands against it', async () => {
  const third = await lab.addHost({ name: 'h3', release: 'sid' })
  await etcd.equip(third)
  await third.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY })
  await createSegmentNetwork(third, 'blue', 'web')
  await third.docker(['plugin', 'disable', '--force', PLUGIN])
  const values = Object.entries(etcd.settings).map(([name, value]) => `${name}=${value}`)
  await third.docker(['plugin', 'set', PLUGIN, ...values])
  await third.docker(['plugin', 'enable', PLUGIN])
  const refused = await failureOf(third, [
    'network',
    'create',
    '-d',
    'romana',
    '--ipam-driver',
    'romana',
    'more',
  ])
  expect(refused).toMatch(
    /host number 1 is that of host 1 \("h1", 198\.18\.1\.11\).*tenant "blue" has number 2 there and 1 here.*\(E_CLUSTER\)/,
  )
})

async function segmentsOf(host: LabHost): Promise<string> {
  return (await romanaOn(host, 'segment list')).stdout
}
