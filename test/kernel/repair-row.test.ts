/** Watch, loop and repair together: twenty disturbances without a calm between them are as many repairs, each in time. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMonitor } from '../../host/processes.ts'
import { watchHost } from '../../host/watch.ts'
import { startRepairLoop } from '../../network-driver/repair.ts'
import { endpointOf, WEB, wantedOf, wiringOf } from '../host/host-fixtures.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { moveIn } from './lived-in-host.ts'

const BACK_WITHIN_MS = 2_000
/** One more is taken for a fight, in which repairs wait. */
const IN_A_ROW = 20
const WEB_1 = endpointOf(WEB, '10.1.17.5', 1)
const WANTED = wantedOf([WEB], [WEB_1])

const LINES = [
  'iptables-nft -F ROMANA-FORWARD',
  'iptables-nft -D FORWARD -j ROMANA-FORWARD',
  'iptables-nft -I FORWARD 1 -s 198.51.100.9 -j ACCEPT',
  'ip rule delete priority 8200 protocol 82',
  'iptables-nft -P FORWARD ACCEPT',
  'iptables-nft -F',
]

const namespaces = makeNetnsSet()
let host: KernelHost
const troubles: unknown[] = []

beforeAll(async () => {
  host = await openKernelHost(namespaces, 'nft', 'row')
  await moveIn(host)
  await host.bringTo(wantedOf([WEB]))
  await host.host.addEndpoint(wiringOf(WEB, WEB_1))
  const container = await namespaces.make('row-container')
  await host.netns.ip(`link set dev rmp1 netns ${container.name}`)
  const wanted = { ...WANTED, forwardClosed: [4] } as const
  await host.bringTo(wanted)
  const loop = startRepairLoop({
    look: () => host.bringTo(wanted),
    onFight: () => undefined,
    onFailure: (error) => troubles.push(error),
  })
  namespaces.defer(() => loop.close())
  const watch = watchHost({
    run: host.netns.run,
    startMonitor: (file, args) =>
      startMonitor('nsenter', [`--net=/run/netns/${host.netns.name}`, file, ...args]),
    onChange: (what) => loop.notice(what),
    onTrouble: (text) => troubles.push(text),
  })
  namespaces.defer(() => watch.close())
  watch.follow(wanted)
  // Until its programs have begun to tell, and what they told has been looked at.
  await pause(1_500)
})
afterAll(() => namespaces.removeAll())

test(`${IN_A_ROW} disturbances in a row are repaired within ${BACK_WITHIN_MS} ms each`, async () => {
  const whole = await shownOfOurs()
  for (let round = 0; round < IN_A_ROW; round += 1) {
    const [file = '', ...args] = (LINES[round % LINES.length] ?? '').split(' ')
    await host.netns.run({ file, args })
    const startedMs = performance.now()
    expect(await shownOfOurs()).not.toBe(whole)
    await expect.poll(shownOfOurs, { timeout: 15_000, interval: 20 }).toBe(whole)
    expect(performance.now() - startedMs).toBeLessThanOrEqual(BACK_WITHIN_MS)
  }
  expect(troubles).toEqual([])
})

/** Our rules and policy rule, FORWARD's own policy, and whether our jump is where it belongs. */
async function shownOfOurs(): Promise<string> {
  const [rules, saved] = await Promise.all([
    host.netns.run({ file: 'ip', args: ['rule', 'show', 'priority', '8200'] }),
    host.netns.run({ file: 'iptables-nft-save', args: [] }),
  ])
  const lines = saved.split('\n')
  const forward = lines.filter((line) => line.startsWith('-A FORWARD ') && !line.endsWith('-j DOCKER-USER'))
  const ours = lines.filter((line) => /^-A (ROMANA-|.* -j ROMANA-\S+$)/.test(line))
  const policy = lines.find((line) => line.startsWith(':FORWARD '))?.split(' ')[1]
  return [rules, policy, forward[0], ...ours].join('\n')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
