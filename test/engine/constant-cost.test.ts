/** A segment and an endpoint cost no firewall rule, and no route outside Romana's own table. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { createSegmentNetwork, type RomanaHost, startIdle, startRomanaHost } from '../support/romana-host.ts'

const SEGMENTS = 50
const SEGMENTS_PER_TENANT = 10

let romana: RomanaHost
let host: LabHost

beforeAll(async () => {
  romana = await startRomanaHost({ lab: 'constant', release: 'sid' })
  host = romana.host
})
afterAll(() => romana?.lab.stop())

it('the rules are the same with 1 and with 50 segments and endpoints, and the main table is as before', async () => {
  const mainTable = await print('ip', 'route', 'show', 'table', 'main')
  await startSegment(0)
  const rules = await firewall()
  for (let index = 1; index < SEGMENTS; index += 1) await startSegment(index)
  const { stdout } = await host.docker(['ps', '--quiet'])
  expect(stdout.trim().split('\n')).toHaveLength(SEGMENTS)
  expect(await firewall()).toEqual(rules)
  expect(await print('ip', 'route', 'show', 'table', 'main')).toBe(mainTable)
})

async function startSegment(index: number): Promise<void> {
  const tenant = `tenant${Math.floor(index / SEGMENTS_PER_TENANT)}`
  const network = await createSegmentNetwork(host, tenant, `segment${index % SEGMENTS_PER_TENANT}`)
  await startIdle(host, `container${index}`, network)
}

/** Not only as many lines: the same ones. Counters and dates differ from look to look. */
async function firewall(): Promise<{ iptables: string[]; nft: string[] }> {
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replaceAll(/\[\d+:\d+\]|packets \d+ bytes \d+/g, ''))
  return {
    iptables: lines(await print('iptables-save')),
    nft: lines(await print('nft', 'list', 'ruleset')),
  }
}

async function print(command: string, ...args: string[]): Promise<string> {
  return (await host.run(command, args)).stdout
}
