import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Mirror, mirrorAll, startMirror } from '../../cluster/mirror.ts'
import type { ContainerName } from '../../cluster/mirror-copies.ts'
import { HostNumberSchema } from '../../store/ids.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Change, Store } from '../../store/store.ts'
import { type FaultyStore, makeFaultyStore } from './faulty-store.ts'

const HOST = v.parse(HostNumberSchema, 1)
const TIMES = { gatherMs: 5, distanceMs: 10, regularMs: 60_000, retryMs: 20 }
const NETWORK = {
  networkId: 'n1',
  cell: '10.1.17.0/24',
  tenant: 'blue',
  segment: 'web',
  gateway: '10.1.17.1',
}

function putNetwork(networkId = 'n1'): Change {
  const value = JSON.stringify({ ...NETWORK, networkId, internal: false })
  return { kind: 'put', key: `/networks/${networkId}`, value }
}

function putEndpoint(endpointId: string, last = 2): Change {
  const record = {
    endpointId,
    networkId: 'n1',
    address: `10.1.17.${last}`,
    linkNumber: 1,
    internal: false,
    joined: true,
  }
  return { kind: 'put', key: `/endpoints/${endpointId}`, value: JSON.stringify(record) }
}

interface Mirrored {
  readonly journal: Store
  readonly directory: FaultyStore
  readonly mirror: Mirror
  readonly failures: unknown[]
  readonly names: Map<string, ContainerName>
}

let mirror: Mirror | undefined
afterEach(() => mirror?.close())

async function start(directory = makeFaultyStore(), times = TIMES): Promise<Mirrored> {
  const journal = openMemoryStore()
  await journal.commit([{ kind: 'put', key: '/taken-over', value: '{}' }])
  const failures: unknown[] = []
  const names = new Map<string, ContainerName>()
  const parts = { journal, directory, host: HOST, containerOf: (id: string) => names.get(id) }
  mirror = startMirror(parts, (error) => failures.push(error), times)
  return { journal, directory, mirror, failures, names }
}

/** Keys of the directory, or what its endpoints say: "n1/e1 10.1.17.2 blue/web". */
async function keysOf(directory: Store): Promise<string> {
  return (await directory.list('/host-')).entries.map(({ key }) => key).join(' ')
}

function expectKeys(directory: Store, keys: string, timeout = 2_000): Promise<void> {
  return expect.poll(() => keysOf(directory), { timeout, interval: 10 }).toBe(keys)
}

describe('the mirror', () => {
  it('writes networks and endpoints behind the journal, and removes them', async () => {
    const { journal, directory } = await start()
    await journal.commit([putNetwork()])
    await journal.commit([putEndpoint('e1')])
    await expectKeys(directory, '/host-endpoints/1/e1 /host-networks/1/n1')
    expect((await directory.get('/host-endpoints/1/e1'))?.value).toBe(
      '{"host":1,"endpointId":"e1","networkId":"n1","tenant":"blue","segment":"web","address":"10.1.17.2"}',
    )
    await journal.commit([{ kind: 'remove', key: '/endpoints/e1' }])
    await expectKeys(directory, '/host-networks/1/n1')
    await journal.commit([{ kind: 'remove', key: '/networks/n1' }])
    await expectKeys(directory, '')
  })

  it('writes nothing when nothing of it has changed', async () => {
    const { journal, directory } = await start()
    await journal.commit([putNetwork(), putEndpoint('e1')])
    await expectKeys(directory, '/host-endpoints/1/e1 /host-networks/1/n1')
    const before = directory.written.length
    await journal.commit([putEndpoint('e1'), { kind: 'put', key: '/addresses/10.1.17.2', value: '{}' }])
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(directory.written).toHaveLength(before)
  })

  it('writes a hundred changes at once, and no more', async () => {
    const { journal, directory } = await start()
    const ids = Array.from({ length: 250 }, (_, index) => `e${index}`)
    await journal.commit([putNetwork()])
    for (const id of ids) await journal.commit([putEndpoint(id)])
    await expect.poll(async () => (await directory.list('/host-endpoints/')).entries.length).toBe(250)
    expect(Math.max(...directory.written)).toBeLessThanOrEqual(100)
    expect(directory.written.length).toBeLessThan(20)
  })

  it('is right again when the directory is back, and says once that it was away', async () => {
    const { journal, directory, failures } = await start()
    await journal.commit([putNetwork(), putEndpoint('e1')])
    await expectKeys(directory, '/host-endpoints/1/e1 /host-networks/1/n1')
    directory.isAway = true
    await journal.commit([putEndpoint('e2', 3), { kind: 'remove', key: '/endpoints/e1' }])
    await expect.poll(() => failures.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(failures).toHaveLength(1)
    directory.isAway = false
    await expectKeys(directory, '/host-endpoints/1/e2 /host-networks/1/n1')
  })

  it('repairs what others changed in the directory, at the next regular look', async () => {
    const { journal, directory } = await start(makeFaultyStore(), { ...TIMES, regularMs: 50 })
    await journal.commit([putNetwork()])
    await expectKeys(directory, '/host-networks/1/n1')
    await directory.commit([
      { kind: 'remove', key: '/host-networks/1/n1' },
      { kind: 'put', key: '/host-endpoints/1/stale', value: 'unreadable' },
    ])
    await expectKeys(directory, '/host-networks/1/n1')
  })

  it('leaves alone what other hosts have', async () => {
    const directory = makeFaultyStore()
    await directory.commit([{ kind: 'put', key: '/host-networks/2/n9', value: '{}' }])
    const { journal } = await start(directory)
    await journal.commit([putNetwork()])
    await expectKeys(directory, '/host-networks/1/n1 /host-networks/2/n9')
  })

  it('adds the container when it becomes known, and keeps it when it is known no more', async () => {
    const { journal, directory, mirror, names } = await start()
    await journal.commit([putNetwork(), putEndpoint('e1')])
    await expectKeys(directory, '/host-endpoints/1/e1 /host-networks/1/n1')
    names.set('e1', { id: 'c1', name: 'web-1' })
    mirror.named(['e1'])
    const container = async () =>
      JSON.parse((await directory.get('/host-endpoints/1/e1'))?.value ?? '').container
    await expect.poll(container).toEqual({ id: 'c1', name: 'web-1' })
    await mirrorAll({ journal, directory, host: HOST, containerOf: () => undefined })
    expect(await container()).toEqual({ id: 'c1', name: 'web-1' })
  })

  it('takes nothing from the directory for a lost journal that has not read it yet', async () => {
    const directory = makeFaultyStore()
    await directory.commit([{ kind: 'put', key: '/host-networks/1/n1', value: '{}' }])
    await mirrorAll({ journal: openMemoryStore(), directory, host: HOST, containerOf: () => undefined })
    expect(await keysOf(directory)).toBe('/host-networks/1/n1')
  })
})
