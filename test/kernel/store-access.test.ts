/** No container gets to the store: wherever a member runs, whoever translates, and though a connection was there before the rules. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namespacePath } from '../../lab/lab-names.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { PORT } from '../support/netns-member.ts'
import { type PerlAgent, startPerlAgent } from '../support/perl-agent.ts'
import { VARIANTS } from './kernel-host.ts'
import {
  FLOW_PORT,
  HOST_ADDRESSES,
  makeStoreWorld,
  OTHER_PORT,
  OUTSIDE,
  REDIRECTED_PORT,
  STORE_PORT,
  type StoreWorld,
} from './store-world.ts'

const PROGRAM = new URL('../support/flow-agent.pl', import.meta.url).pathname

describe.each(VARIANTS)('through iptables-%s a container', (variant) => {
  const namespaces = makeNetnsSet()
  let world: StoreWorld
  beforeAll(async () => {
    world = await makeStoreWorld(namespaces, variant)
  })
  afterAll(() => namespaces.removeAll())

  const answers = (port: number, addresses: readonly string[] = HOST_ADDRESSES) =>
    Promise.all(addresses.map((address) => world.web.probe('tcp', address, { port })))

  test('gets to no member in a container of Docker, by whichever address of the host', async () => {
    expect(await world.kernel.bringTo(world.wanted)).toBe('')
    expect(await answers(STORE_PORT)).toEqual(HOST_ADDRESSES.map(() => 'nothing'))
    for (const answer of await answers(OTHER_PORT)) expect(answer).toMatch(/^saw /)
  })

  test('gets to no member on the host itself, also by a port that leads to another', async () => {
    expect(await answers(REDIRECTED_PORT)).toEqual(HOST_ADDRESSES.map(() => 'nothing'))
  })

  test('gets to no member elsewhere, by IPv4 or by IPv6', async () => {
    expect(await answers(PORT, Object.values(OUTSIDE))).toEqual(['nothing', 'nothing'])
    for (const answer of await answers(OTHER_PORT, Object.values(OUTSIDE))) expect(answer).toMatch(/^saw /)
  })

  test('is kept from a member though it was connected while rules were missing', async () => {
    const hostAgent = await startAgent(world.kernel.netns)
    const outsideAgent = await startAgent(world.outside)
    const webAgent = await startAgent(world.web.netns)
    await hostAgent.ask('listen', String(FLOW_PORT), '192.0.2.1')
    await outsideAgent.ask('listen', String(FLOW_PORT), OUTSIDE[4])
    await outsideAgent.ask('listen', String(FLOW_PORT), OUTSIDE[6])
    for (const family of ['iptables', 'ip6tables']) {
      await type(`${family}-${variant} -F ROMANA-FORWARD`)
      await type(`${family}-${variant} -F ROMANA-HOST`)
      await type(`${family}-${variant} -P FORWARD ACCEPT`)
    }
    for (const address of ['192.0.2.1', ...Object.values(OUTSIDE)])
      await webAgent.ask('connect', String(FLOW_PORT), address)
    await sleep(300)
    await world.kernel.bringTo(world.wanted)
    const counts = async () =>
      [...(await hostAgent.ask('report')), ...(await outsideAgent.ask('report'))].map(countOf)
    const before = await counts()
    await sleep(1_000)
    expect(Math.min(...before)).toBeGreaterThan(0)
    expect(await counts()).toEqual(before)
  })

  async function startAgent(netns: Netns): Promise<PerlAgent> {
    const agent = await startPerlAgent(PROGRAM, namespacePath(netns.name))
    namespaces.defer(async () => await agent[Symbol.asyncDispose]())
    return agent
  }

  async function type(line: string): Promise<void> {
    const [file = '', ...args] = line.split(' ')
    await world.kernel.netns.run({ file, args })
  }
})

/** Of the numbers that have come. */
function countOf(line: string): number {
  return Number(line.split(' ')[2])
}
