import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { planEndpoint } from '../../host/plan-endpoint.ts'
import { isEmptyPlan, planHost } from '../../host/plan-host.ts'
import { DB, endpointOf, VAULT, WEB, wantedOf, wiringOf } from '../host/host-fixtures.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { type KernelHost, openKernelHost, VARIANTS } from './kernel-host.ts'
import { moveIn } from './lived-in-host.ts'

const WEB_1 = endpointOf(WEB, '10.1.17.5', 1)
const VAULT_2 = endpointOf(VAULT, '10.1.19.5', 2)
const UNRECORDED = endpointOf(WEB, '10.1.17.9', 3)
const WANTED = wantedOf([WEB, DB, VAULT], [WEB_1, VAULT_2])

const namespaces = makeNetnsSet()
afterAll(() => namespaces.removeAll())

/** Every test leaves the host as wanted; the last one takes all away. */
describe.each(VARIANTS)('a host with iptables-%s', (variant) => {
  let host: KernelHost
  let livedIn: string
  let wanted: string

  beforeAll(async () => {
    host = await openKernelHost(namespaces, variant)
    await moveIn(host)
    livedIn = await host.show()
    await host.bringTo(wantedOf([WEB]))
    await host.netns.ip(...planEndpoint(wiringOf(WEB, WEB_1)), ...planEndpoint(wiringOf(VAULT, VAULT_2)))
    wanted = await host.show()
  })

  async function expectRepair(): Promise<void> {
    expect(await host.bringTo(WANTED)).not.toBe('')
    expect(await host.show()).toBe(wanted)
    expect(await host.bringTo(WANTED)).toBe('')
  }

  test('carries its rules in the very words of the plan: the second plan is empty', async () => {
    expect(wanted).toContain('ROMANA-')
    expect(await host.bringTo(WANTED)).toBe('')
    expect(await host.show()).toBe(wanted)
  })

  test('has our rules in one variant only', async () => {
    const save = (of: string) => host.netns.run({ file: `iptables-${of}-save`, args: [] })
    expect(await save(variant)).toContain(':ROMANA-FORWARD ')
    expect(await save(variant === 'nft' ? 'legacy' : 'nft')).not.toContain(':ROMANA-')
  })

  test.each([
    ['deleted a rule of ours', ['-D ROMANA-FORWARD -i rmni+ -j DROP']],
    ['put an accept at the head of our chain', ['-I ROMANA-FORWARD 1 -j ACCEPT']],
    ["moved our jump behind Docker's", ['-D FORWARD -j ROMANA-FORWARD', '-A FORWARD -j ROMANA-FORWARD']],
    ['duplicated our jump', ['-A INPUT -j ROMANA-INPUT']],
    ['deleted our chain', ['-D INPUT -j ROMANA-INPUT', '-F ROMANA-INPUT', '-X ROMANA-INPUT']],
    [
      'left a chain of a Romana of before',
      ['-N ROMANA-OLD', '-A ROMANA-OLD -j ACCEPT', '-I FORWARD 1 -j ROMANA-OLD'],
    ],
  ])('is repaired after somebody %s', async (_what, lines) => {
    await host.restore(`*filter\n${lines.join('\n')}\nCOMMIT\n`)
    await expectRepair()
  })

  test.each([
    ["an endpoint's route", 'route delete 10.1.17.5/32 dev rmne1 table 8200'],
    ["a link's gateway address, and with it the route", 'address delete 10.1.17.1/32 dev rmne1'],
    ["the blackhole of the host's prefix", 'route delete blackhole 10.1.0.0/16 table 8200'],
    ['the policy rule', 'rule delete to 10.0.0.0/8 lookup 8200 priority 8200'],
  ])('gets back %s', async (_what, line) => {
    await host.netns.ip(line)
    await expectRepair()
  })

  test('loses a dead pair, and with it its address and its route', async () => {
    await host.netns.ip(...planEndpoint(wiringOf(WEB, UNRECORDED)))
    expect(await host.bringTo(WANTED)).toBe('# ip -batch\nlink delete dev rmne3\n')
    expect(await host.show()).toBe(wanted)
  })

  test('keeps a pair with an end elsewhere, and its route, though nothing explains it', async () => {
    const sandbox = await namespaces.make(`sandbox-${variant}`)
    await host.netns.ip(...planEndpoint(wiringOf(WEB, UNRECORDED)), `link set dev rmp3 netns ${sandbox.name}`)
    const before = await host.show()
    expect(before).toMatch(/^10\.1\.17\.9 dev rmne3 table 8200 proto 82/m)
    expect(await host.bringTo(WANTED)).toBe('')
    expect(await host.show()).toBe(before)
    await host.netns.ip('link delete dev rmne3')
  })

  test('that stopped forwarding is told to, with FORWARD closed and the rules of others left in it', async () => {
    await host.restore('*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n')
    host.forwarding = false
    expect(await host.bringTo(WANTED)).toBe(
      `# iptables-${variant}-restore\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n# sysctl\nnet.ipv4.ip_forward = 1\n`,
    )
    expect(host.forwarding).toBe(true)
    expect(await host.show()).toBe(wanted)
  })

  test('is as before when all that is ours goes', async () => {
    await host.netns.ip('link delete dev rmne1', 'link delete dev rmni2')
    await host.bringTo(wantedOf([]))
    expect(await host.show()).toBe(livedIn)
  })
})

describe.each(VARIANTS)('a host of ours alone with iptables-%s', (variant) => {
  test('is repaired after a flush of all rules and of our routes', async () => {
    const host = await openKernelHost(namespaces, variant, 'flushed')
    await host.bringTo(wantedOf([WEB]))
    const before = await host.show()
    await flush(host)
    expect(await host.show()).not.toMatch(/ROMANA-|8200/)
    await host.bringTo(wantedOf([WEB]))
    expect(await host.show()).toBe(before)
  })

  test('moves its rules to the other one when the engine has moved', async () => {
    const { host, netns, bringTo } = await openKernelHost(namespaces, variant, 'moved')
    await bringTo(wantedOf([WEB]))
    const other: IptablesVariant = variant === 'nft' ? 'legacy' : 'nft'
    const moved = { ...wantedOf([WEB]), iptables: other }
    await host.apply(planHost(moved, await host.observe()))
    expect(isEmptyPlan(planHost(moved, await host.observe()))).toBe(true)
    const programs = [`iptables-${variant}`, `ip6tables-${variant}`]
    for (const program of programs) {
      expect(await netns.run({ file: `${program}-save`, args: [] })).not.toContain('ROMANA-')
    }
    expect(await netns.run({ file: `iptables-${other}-save`, args: [] })).toContain(':ROMANA-FORWARD ')
  })
})

async function flush({ netns, variant }: KernelHost): Promise<void> {
  await netns.ip('route flush table 8200', 'rule delete priority 8200')
  if (variant === 'nft') await netns.run({ file: 'nft', args: ['flush', 'ruleset'] })
  for (const table of ['filter', 'nat', 'raw']) await flushTable(netns, `iptables-${variant}`, table)
  await flushTable(netns, `ip6tables-${variant}`, 'raw')
}

async function flushTable({ run }: Netns, file: string, table: string): Promise<void> {
  for (const what of ['-F', '-X']) await run({ file, args: ['-t', table, what] })
}
