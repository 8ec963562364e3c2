import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WantedRules } from '../../host/plan-firewall.ts'
import { commandError, type RunCommand } from '../../host/processes.ts'
import { type HostWatch, watchHost } from '../../host/watch.ts'
import { type FakeMonitor, makeFakeMonitors } from './fake-monitors.ts'

const IP = 'ip -o monitor link address route rule netconf'
const NFT = 'nft -j monitor'
const BEGUN = [`"${IP}" has begun to tell`, `"${NFT}" has begun to tell`]

const GATEWAY_GONE = 'Deleted 5: rmne1    inet 10.1.17.1/32 scope global rmne1'
const LINK_GONE = 'Deleted 5: rmne1@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN'
const RULE_GONE = 'Deleted 8200:\tfrom all to 10.0.0.0/8 lookup 8200 proto 82'

const CHAIN = { name: 'ROMANA-INPUT', rules: ['-j DROP'] }
const NFT_RULES: WantedRules = {
  firewall: [{ family: 4, table: 'filter', chains: [CHAIN], jumps: [{ from: 'INPUT', to: 'ROMANA-INPUT' }] }],
  iptables: 'nft',
  forwarding: true,
  forwarding6: false,
  forwardClosed: [],
}
const LEGACY_RULES: WantedRules = { ...NFT_RULES, iptables: 'legacy' }
const NOTHING: WantedRules = { ...NFT_RULES, firewall: [] }
const SAVED =
  '*filter\n:INPUT ACCEPT [0:0]\n:ROMANA-INPUT - [0:0]\n-A INPUT -j ROMANA-INPUT\n-A ROMANA-INPUT -j DROP\nCOMMIT\n'

/** What was told, a line each time, and the programs behind it. */
interface Watched {
  readonly watch: HostWatch
  readonly told: string[]
  readonly troubles: string[]
  readonly monitors: readonly FakeMonitor[]
  readonly runs: string[]
  saved: string | undefined
}

let open: Watched[] = []
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  for (const { watch } of open) watch.close()
  open = []
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function startWatch(): Watched {
  const { start, monitors } = makeFakeMonitors()
  const told: string[] = []
  const troubles: string[] = []
  const runs: string[] = []
  const run: RunCommand = async ({ file }) => {
    runs.push(file)
    if (watched.saved === undefined) throw commandError(file, 'Resource temporarily unavailable')
    return file === 'iptables-legacy-save' ? watched.saved : ''
  }
  const watch = watchHost({
    run,
    startMonitor: start,
    onChange: (what) => told.push(what.join(' | ')),
    onTrouble: (text) => troubles.push(text),
  })
  const watched: Watched = { watch, told, troubles, monitors, runs, saved: SAVED }
  open.push(watched)
  return watched
}

/** A watch on a host with iptables-nft that has said all that it says at its start. */
async function startSettledWatch(): Promise<Watched & { ip: FakeMonitor; nft: FakeMonitor }> {
  const watched = startWatch()
  watched.watch.follow(NFT_RULES)
  await vi.advanceTimersByTimeAsync(1_000)
  const [ip, nft] = watched.monitors
  if (ip === undefined || nft === undefined) throw new Error('The watch has started less than two programs')
  expect(watched.told.splice(0)).toEqual([BEGUN.join(' | ')])
  return { ...watched, ip, nft }
}

describe('the watch', () => {
  test('starts nothing as long as nothing is ours', async () => {
    const { watch, monitors, runs, told } = startWatch()
    watch.follow(NOTHING)
    await vi.advanceTimersByTimeAsync(60_000)
    expect({ monitors, runs, told }).toEqual({ monitors: [], runs: [], told: [] })
  })

  test('ends its programs when nothing is ours any more', async () => {
    const { watch, monitors, troubles } = await startSettledWatch()
    watch.follow(NOTHING)
    expect(monitors.map(({ command, isKilled }) => [command, isKilled])).toEqual([
      [IP, true],
      [NFT, true],
    ])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(monitors).toHaveLength(2)
    expect(troubles).toEqual([])
  })

  test('goes on when the rules are others', async () => {
    const { watch, monitors } = await startSettledWatch()
    watch.follow({ ...NFT_RULES, forwarding: false })
    expect(monitors.map(({ isKilled }) => isKilled)).toEqual([false, false])
  })

  test('tells once what comes at once, from both programs', async () => {
    const { ip, nft, told } = await startSettledWatch()
    ip.tell(RULE_GONE, RULE_GONE)
    await vi.advanceTimersByTimeAsync(100)
    nft.tell('# ERROR: We lost some netlink events!')
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([
      'Deleted 8200: from all to 10.0.0.0/8 lookup 8200 proto 82 | # ERROR: We lost some netlink events!',
    ])
  })

  test('says nothing of what goes with a link', async () => {
    const { ip, told } = await startSettledWatch()
    ip.tell(GATEWAY_GONE, LINK_GONE)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual([])
  })

  test('tells what is not explained by a link that goes', async () => {
    const { ip, told } = await startSettledWatch()
    ip.tell(RULE_GONE, GATEWAY_GONE, LINK_GONE)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual(['Deleted 8200: from all to 10.0.0.0/8 lookup 8200 proto 82'])
  })

  test('does not list more than anybody would read', async () => {
    const { ip, told } = await startSettledWatch()
    for (let number = 1; number <= 500; number += 1)
      ip.tell(`Deleted 10.1.17.${number} dev rmne${number} table 8200 proto 82 scope link`)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told.map((line) => line.split(' | ').length)).toEqual([9])
    expect(told[0]).toMatch(/ \| …$/)
  })
})

describe('a program that has ended', () => {
  test('is started again, later and later, and what changed meanwhile calls for a look each time', async () => {
    const { monitors, told, troubles } = await startSettledWatch()
    const delaysMs: number[] = []
    for (let ends = 0; ends < 5; ends += 1) {
      const endedMs = performance.now()
      const before = monitors.length
      monitors.findLast(({ command }) => command === NFT)?.end('Out of memory')
      while (monitors.length === before) await vi.advanceTimersByTimeAsync(100)
      delaysMs.push(Math.round(performance.now() - endedMs))
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(delaysMs).toEqual([500, 1_000, 5_000, 30_000, 30_000])
    expect(told).toEqual(Array.from({ length: 5 }, () => `"${NFT}" has begun to tell`))
    expect(new Set(troubles)).toEqual(new Set([`"${NFT}" has ended: Out of memory`]))
  })

  test('is soon back when it had run for long', async () => {
    const { monitors } = await startSettledWatch()
    for (let ends = 0; ends < 3; ends += 1) {
      monitors.findLast(({ command }) => command === IP)?.end('gone')
      await vi.advanceTimersByTimeAsync(100_000)
      monitors.findLast(({ command }) => command === IP)?.end('gone')
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(monitors.filter(({ command }) => command === IP)).toHaveLength(7)
  })
})

describe('iptables-legacy, which tells nobody of a change,', () => {
  test('is read every second, and nothing is said while the rules are as they shall be', async () => {
    const { watch, monitors, runs, told } = startWatch()
    watch.follow(LEGACY_RULES)
    await vi.advanceTimersByTimeAsync(10_500)
    expect(monitors.map(({ command }) => command)).toEqual([IP])
    expect(runs).toEqual(
      Array.from({ length: 10 }, () => ['iptables-legacy-save', 'ip6tables-legacy-save']).flat(),
    )
    expect(told).toEqual([`"${IP}" has begun to tell`])
  })

  test.each([
    ['a rule is missing', SAVED.replace('-A ROMANA-INPUT -j DROP\n', '')],
    ['our jump is missing', SAVED.replace('-A INPUT -j ROMANA-INPUT\n', '')],
    ['a rule is before our jump', SAVED.replace('-A INPUT -j', '-A INPUT -j ACCEPT\n-A INPUT -j')],
    ['all is gone', ''],
    ['it cannot be read', undefined],
  ])('calls for a look as long as %s', async (_what, saved) => {
    const watched = startWatch()
    watched.watch.follow(LEGACY_RULES)
    await vi.advanceTimersByTimeAsync(5_500)
    watched.told.length = 0
    watched.saved = saved
    await vi.advanceTimersByTimeAsync(2_000)
    expect(watched.told).toEqual(['rules of iptables-legacy', 'rules of iptables-legacy'])
    watched.saved = SAVED
    await vi.advanceTimersByTimeAsync(2_000)
    expect(watched.told).toHaveLength(2)
  })

  test('may have what it likes behind our jump', async () => {
    const watched = startWatch()
    watched.watch.follow(LEGACY_RULES)
    watched.saved = SAVED.replace('-A ROMANA', '-A INPUT -s 192.0.2.9/32 -j DROP\n-A ROMANA')
    await vi.advanceTimersByTimeAsync(5_500)
    expect(watched.told).toEqual([`"${IP}" has begun to tell`])
  })

  test('is measured by the latest rules', async () => {
    const watched = startWatch()
    watched.watch.follow(LEGACY_RULES)
    const rules = ['-i lo -j RETURN', '-j DROP']
    const [table] = LEGACY_RULES.firewall
    if (table === undefined) throw new Error('There are no rules')
    watched.watch.follow({
      ...LEGACY_RULES,
      firewall: [{ ...table, chains: [{ name: 'ROMANA-INPUT', rules }] }],
    })
    await vi.advanceTimersByTimeAsync(1_500)
    expect(watched.told).toContain('rules of iptables-legacy')
  })

  test('is watched instead of nft when the rules move there, and back', async () => {
    const { watch, monitors, runs } = await startSettledWatch()
    watch.follow(LEGACY_RULES)
    await vi.advanceTimersByTimeAsync(1_500)
    watch.follow(NFT_RULES)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(monitors.map(({ command, isKilled }) => `${command}${isKilled ? ', ended' : ''}`)).toEqual([
      `${IP}, ended`,
      `${NFT}, ended`,
      `${IP}, ended`,
      IP,
      NFT,
    ])
    expect(runs).toHaveLength(2)
  })
})
