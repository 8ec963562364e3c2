import * as fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type EngineNetwork, labelOf, planEverywhere } from '../../cluster/everywhere.ts'
import { type EngineNetworks, keepEverywhere } from '../../cluster/everywhere-keeper.ts'
import { markEverywhere, unmarkEverywhere, whenNobodyHolds } from '../../cluster/everywhere-marks.ts'
import { NameSchema } from '../../store/ids.ts'
import { EverywhereRecord } from '../../store/records.ts'
import { type FaultyStore, makeFaultyStore } from './faulty-store.ts'

function mark(tenant: string, segment: string, network = `${tenant}-${segment}`): EverywhereRecord {
  return v.parse(EverywhereRecord, { tenant, segment, network })
}

const WEB = mark('blue', 'web')

describe('the plan', () => {
  /** "+ blue-web, - n1, ! blue-db" for what is made, removed, and another's. */
  function show(marks: readonly EverywhereRecord[], networks: readonly EngineNetwork[]): string {
    const { create, remove, clashes } = planEverywhere(marks, networks)
    return [
      ...create.map(({ network }) => `+ ${network}`),
      ...remove.map(({ id }) => `- ${id}`),
      ...clashes.map(({ network }) => `! ${network}`),
    ].join(', ')
  }

  it.each<[string, EverywhereRecord[], EngineNetwork[], string]>([
    ['makes what is missing', [WEB], [{ id: 'n1', name: 'bridge' }], '+ blue-web'],
    ['is empty when all is there', [WEB], [{ id: 'n1', name: 'blue-web', everywhere: 'blue/web' }], ''],
    ['removes what has no mark', [], [{ id: 'n1', name: 'blue-web', everywhere: 'blue/web' }], '- n1'],
    ['never removes a network without the label', [], [{ id: 'n1', name: 'blue-web' }], ''],
    ['leaves the network of somebody else', [WEB], [{ id: 'n1', name: 'blue-web' }], '! blue-web'],
    [
      'follows a mark to another name',
      [mark('blue', 'web', 'www')],
      [{ id: 'n1', name: 'blue-web', everywhere: 'blue/web' }],
      '+ www, - n1',
    ],
  ])('%s', (_what, marks, networks, plan) => {
    expect(show(marks, networks)).toBe(plan)
  })

  it('carried out leaves nothing to do, whatever there was', () => {
    const names = fc.constantFrom('a', 'b', 'c')
    const someMarks = fc.uniqueArray(fc.tuple(names, names), { selector: ([, network]) => network })
    const someNetworks = fc.uniqueArray(
      fc.record({ name: names, everywhere: fc.option(fc.constantFrom('t/a', 't/b'), { nil: undefined }) }),
      { selector: ({ name }) => name },
    )
    const property = fc.property(someMarks, someNetworks, (marked, present) => {
      const marks = marked.map(([segment, network]) => mark('t', segment, network))
      const networks = present.map((network) => ({ id: network.name, ...network }))
      const { create, remove, clashes } = planEverywhere(marks, networks)
      const left = networks.filter((network) => !remove.includes(network))
      const made = create.map((each) => ({ id: each.network, name: each.network, everywhere: labelOf(each) }))
      const again = planEverywhere(marks, [...left, ...made])
      expect(again).toEqual({ create: [], remove: [], clashes })
      expect(remove.every(({ everywhere }) => everywhere !== undefined)).toBe(true)
    })
    fc.assert(property)
  })
})

/** An engine that keeps its networks in memory. */
class FakeEngine implements EngineNetworks {
  all: EngineNetwork[] = []
  isAway = false
  inUse = new Set<string>()

  async networks(): Promise<readonly EngineNetwork[]> {
    if (this.isAway) throw new Error('connect ENOENT')
    return this.all
  }

  async createNetwork(made: EverywhereRecord): Promise<void> {
    this.all = [...this.all, { id: `id-${made.network}`, name: made.network, everywhere: labelOf(made) }]
  }

  async removeNetwork(id: string): Promise<'removed' | 'in use'> {
    if (this.inUse.has(id)) return 'in use'
    this.all = this.all.filter((network) => network.id !== id)
    return 'removed'
  }
}

describe('a host that may ask its engine', () => {
  const times = { gatherMs: 5, distanceMs: 10, regularMs: 40, retryMs: 20 }
  let keeper: { close(): Promise<void> } | undefined
  afterEach(() => keeper?.close())

  function start(engine: FakeEngine, directory: FaultyStore): { news: string[]; failures: unknown[] } {
    const news: string[] = []
    const failures: unknown[] = []
    const onNews = (text: string) => news.push(text)
    const onFailure = (error: unknown) => failures.push(error)
    keeper = keepEverywhere({ directory, engine, onNews, onFailure }, times)
    return { news, failures }
  }

  const namesIn = (engine: FakeEngine) => engine.all.map(({ name }) => name).join(' ')

  it('makes the networks when it joins and when a mark comes, and removes them when it goes', async () => {
    const engine = new FakeEngine()
    const directory = makeFaultyStore()
    await markEverywhere(directory, WEB)
    start(engine, directory)
    await expect.poll(() => namesIn(engine)).toBe('blue-web')
    await markEverywhere(directory, mark('blue', 'db'))
    await expect.poll(() => namesIn(engine)).toBe('blue-web blue-db')
    await unmarkEverywhere(directory, WEB.tenant, WEB.segment)
    await expect.poll(() => namesIn(engine)).toBe('blue-db')
  })

  it('waits for the containers, and says so once', async () => {
    const engine = new FakeEngine()
    const directory = makeFaultyStore()
    engine.all = [{ id: 'n1', name: 'blue-web', everywhere: 'blue/web' }]
    engine.inUse.add('n1')
    const { news } = start(engine, directory)
    await expect.poll(() => news.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(news).toEqual([
      'network "blue-web" stays as long as containers are on it, though its segment is not everywhere any more',
    ])
    engine.inUse.clear()
    await expect.poll(() => namesIn(engine)).toBe('')
  })

  it('says once that another network has the name, and leaves it', async () => {
    const engine = new FakeEngine()
    const directory = makeFaultyStore()
    engine.all = [{ id: 'n1', name: 'blue-web' }]
    await markEverywhere(directory, WEB)
    const { news } = start(engine, directory)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(news).toEqual(['network "blue-web" is not made everywhere: this host has another one of the name'])
    expect(engine.all).toEqual([{ id: 'n1', name: 'blue-web' }])
  })

  it('goes on when engine and directory are back, and removes nothing meanwhile', async () => {
    const engine = new FakeEngine()
    const directory = makeFaultyStore()
    await markEverywhere(directory, WEB)
    engine.isAway = true
    const { failures } = start(engine, directory)
    await expect.poll(() => failures.length).toBe(1)
    engine.isAway = false
    await expect.poll(() => namesIn(engine)).toBe('blue-web')
    directory.isAway = true
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(namesIn(engine)).toBe('blue-web')
  })
})

describe('a mark', () => {
  it('is refused for a name that another segment has', async () => {
    const directory = makeFaultyStore()
    await markEverywhere(directory, WEB)
    await markEverywhere(directory, WEB)
    await expect(markEverywhere(directory, mark('green', 'web', 'blue-web'))).rejects.toThrow(
      'Cannot make the network "blue-web" everywhere: segment "web" of tenant "blue" has it. Choose another name with --network NAME (E_SEGMENT_EXISTS)',
    )
  })

  it('gone, the hosts get some time, and no more', async () => {
    const directory = makeFaultyStore()
    const [blue, web] = ['blue', 'web'].map((name) => v.parse(NameSchema, name))
    if (blue === undefined || web === undefined) throw new Error('no names')
    await whenNobodyHolds(directory, blue, web, 60_000)
    await directory.commit([{ kind: 'put', key: '/segment-hosts/blue/web/1', value: '{}' }])
    await whenNobodyHolds(directory, blue, web, 50)
  })
})
