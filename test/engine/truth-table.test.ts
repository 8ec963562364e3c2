/**
 * Everybody asks everybody: on one host, on one with iptables-legacy, and on three. The kernels of the latter are taken for such without
 * xt_bpf. The table is as the documentation says, and is again after all that happens.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { PLUGIN } from '../support/romana-host.ts'
import { type Cell, judge, SENTENCES, type Sentence } from '../truth-table/oracle.ts'
import { shorten, wrongCells } from '../truth-table/outcome.ts'
import { HOST_JOINS, PERTURBATIONS, type Perturbation, saveRules } from '../truth-table/perturbations.ts'
import { PROBES } from '../truth-table/probe-agent.ts'
import { probeTable, watchForbidden } from '../truth-table/prober.ts'
import type { Station } from '../truth-table/station.ts'
import { startTruthLab, type TruthLab } from '../truth-table/truth-lab.ts'
import { openTruthWorld, type TruthWorld } from '../truth-table/truth-world.ts'

/** A host is whole again within 2 s; an engine with a plugin takes longer to start, and a busy machine longer to answer. */
const RIGHT_WITHIN_MS = 30_000
/** How long answers are waited for at the second look and later ones, in milliseconds. */
const LATE_MS = 8_000
const LEAK = 'FORWARD -s 10.0.0.0/8 -j ACCEPT'
const LOSS = 'FORWARD -p icmp -j DROP'

describe.each([
  { count: 1, iptables: 'nft', cells: 5_000, settings: {}, perturbations: PERTURBATIONS },
  {
    count: 1,
    iptables: 'legacy',
    cells: 5_000,
    settings: { ROMANA_SEGMENT_MATCH: 'masks' },
    perturbations: PERTURBATIONS.filter(({ what }) => /chain|jump|rule |table|policy is/.test(what)),
  },
  {
    count: 3,
    iptables: 'nft',
    cells: 30_000,
    settings: { ROMANA_SEGMENT_MATCH: 'masks' },
    perturbations: [
      ...PERTURBATIONS.filter(({ what }) => /policy is|moves|plugin is killed/.test(what)),
      HOST_JOINS,
    ],
  },
] as const)('$count hosts, iptables $iptables', ({ count, iptables, cells, settings, perturbations }) => {
  let truthLab: TruthLab
  let world: TruthWorld
  let first: LabHost

  beforeAll(async () => {
    truthLab = await startTruthLab({ count, iptables, settings })
    const [host] = truthLab.hosts
    if (host === undefined) throw new Error('The lab has no host')
    first = host
    world = await openTruthWorld(truthLab)
    await saveRules(first)
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await truthLab?.[Symbol.asyncDispose]()
  })

  it('every cell is as the documentation says', async ({ annotate }) => {
    const stations = await world.stations()
    const startedMs = performance.now()
    const seen = await probeTable(stations)
    const tookMs = Math.round(performance.now() - startedMs)
    await annotate(`${seen.length} cells of ${stations.length} places in ${tookMs} ms`)
    expect(seen.length).toBeGreaterThan(cells)
    // A busy machine answers late; what came through though it must not counts at once.
    const tooMuch = wrongCells(SENTENCES, seen).filter((line) => line.includes(': expected dropped'))
    expect(shorten(tooMuch)).toBe('')
    await untilRight()
  })

  // The checker is one, however many hosts.
  if (count === 1 && iptables === 'nft') {
    it('a wrong oracle is found out', async () => {
      const closed: Sentence = {
        says: 'no container of blue-web may call any other',
        judge: ({ from, to }) =>
          [from, to.place].every(({ network }) => network?.name === 'blue-web') ? 'dropped' : undefined,
      }
      const wrong = await wrongNow([closed, ...SENTENCES])
      expect(wrong).toContain('blue-web-1@h1 -> blue-web-2@h1 tcp: expected dropped, was reached')
      expect(wrong.filter((line) => !/^blue-web-.* -> blue-web-/.test(line))).toEqual([])
    })

    it('a leak is found out, and a loss', async () => {
      await whileNobodyRepairs(`-I ${LEAK}`, `-D ${LEAK}`, async () => {
        expect(await wrongNow()).toContain(
          'blue-web-1@h1 -> green-web-1@h1 udp: expected dropped, was reached',
        )
      })
      await whileNobodyRepairs(`-I ${LOSS}`, `-D ${LOSS}`, async () => {
        const wrong = await wrongNow()
        expect(wrong).toContain('blue-web-1@h1 -> blue-web-2@h1 icmp: expected reached, was dropped')
        expect(wrong.filter((line) => !/ icmp: expected reached/.test(line))).toEqual([])
      })
    })
  }

  it.for(perturbations)('the table is right again after this: $what', async (perturbation, { annotate }) => {
    await annotate(await perturb(perturbation))
  })

  /** Gives what came through, and how long the table was wrong. */
  async function perturb({ what, act, leaks, rule }: Perturbation): Promise<string> {
    const sentences = [...(rule?.sentences ?? []), ...SENTENCES]
    const isForbidden = (cell: Cell) =>
      judge(SENTENCES, cell) === 'dropped' && judge(sentences, cell) === 'dropped'
    const watch = await watchForbidden(await world.stations(), { ...WATCHED, isForbidden })
    let tookMs: number
    let seen: readonly string[]
    try {
      await act(first, truthLab)
      try {
        tookMs = await untilRight(sentences)
      } finally {
        await rule?.undo(first)
      }
      if (rule !== undefined) await untilRight()
    } finally {
      seen = await watch.end()
    }
    if (leaks !== 'everybody')
      expect(shorten(seen.filter((line) => leaks === 'nobody' || !NEIGHBOURS.test(line)))).toBe('')
    return `${what}: right after ${tookMs} ms, ${seen.length} pairs leaked`
  }

  /** The plugin would put the rules right. */
  async function whileNobodyRepairs(rule: string, undo: string, task: () => Promise<void>): Promise<void> {
    await first.docker(['plugin', 'disable', '--force', PLUGIN])
    await first.runInside('iptables', rule.split(' '))
    await task()
    await first.runInside('iptables', undo.split(' '))
    await first.docker(['plugin', 'enable', PLUGIN])
    await untilRight()
  }

  /** Gives the milliseconds that it took. */
  async function untilRight(sentences: readonly Sentence[] = SENTENCES): Promise<number> {
    const startedMs = performance.now()
    for (let patienceMs: number | undefined; ; patienceMs = LATE_MS) {
      const wrong = shorten(await wrongNow(sentences, patienceMs))
      const tookMs = Math.round(performance.now() - startedMs)
      if (wrong === '') return tookMs
      if (tookMs > RIGHT_WITHIN_MS) expect(wrong).toBe('')
    }
  }

  async function wrongNow(
    sentences: readonly Sentence[] = SENTENCES,
    patienceMs?: number,
  ): Promise<string[]> {
    return wrongCells(sentences, await probeTable(await world.stations(), PROBES, patienceMs))
  }
})

/** One container of each tenant that stays where it is, and those who are in no segment; what they send to containers. */
const WATCHED = {
  from: ({ name, kind }: Station) => /-web-1@h1$|^bridge-/.test(name) || kind === 'outsider',
  to: ({ name, kind }: Station) => kind === 'container' && /-1@/.test(name),
}

const NEIGHBOURS = /^bridge-/
