/** What a host keeps of the others. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { removeHost } from '../../cluster/hosts.ts'
import { followPeers } from '../../cluster/peers.ts'
import { reasonOf } from '../../errors.ts'
import { PeerRecord } from '../../store/host-records.ts'
import { journalKeys } from '../../store/keys.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { listRecords } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { join, type MachineUnderTest, machineOf, makeNetwork } from './cluster-steps.ts'

/** Joins and follows; what was told, one line each. */
async function follow(directory: Store, machine: MachineUnderTest) {
  const { host, instanceId } = await join(directory, machine)
  const told: string[] = []
  const ending = new AbortController()
  const done = followPeers({
    directory,
    journal: machine.journal,
    host,
    instanceId,
    onChange: () => told.push('changed'),
    onTrouble: (error) => told.push(reasonOf(error)),
    onReach: () => void told.push('reached'),
    signal: ending.signal,
  })
  onTestFinished(async () => {
    ending.abort()
    await done
  })
  return { told, known: () => knownTo(machine) }
}

/** "2 198.18.1.98" */
async function knownTo({ journal }: MachineUnderTest): Promise<string> {
  const peers = await listRecords(journal, PeerRecord, journalKeys.peers())
  return peers.map(({ number, address }) => `${number} ${address}`).join(', ')
}

describe('a host', () => {
  it('keeps those that are there, those that come, and where they go, and not itself', async () => {
    const directory = openMemoryStore()
    const b = machineOf('b')
    await join(directory, b)
    const { told, known } = await follow(directory, machineOf('a'))
    await expect.poll(known).toBe('1 198.18.1.98')
    await join(directory, machineOf('c'))
    await expect.poll(known).toBe('1 198.18.1.98, 3 198.18.1.99')
    const { underlay } = machineOf('x').machine
    await join(directory, { ...b, machine: { ...b.machine, underlay } })
    await expect.poll(known).toBe('1 198.18.1.20, 3 198.18.1.99')
    expect(told.join(' ')).toBe('reached changed changed changed')
  })

  it('forgets one that is removed', async () => {
    const directory = openMemoryStore()
    const { host } = await join(directory, machineOf('b'))
    const { known } = await follow(directory, machineOf('a'))
    await expect.poll(known).toBe('1 198.18.1.98')
    await removeHost(directory, host)
    await expect.poll(known).toBe('')
  })

  it('keeps all of them when the directory does not know it any more', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('b'))
    const { told, known } = await follow(directory, machineOf('a'))
    await expect.poll(known).toBe('1 198.18.1.98')
    const { entries } = await directory.list('/')
    await directory.commit(entries.map(({ key }) => ({ kind: 'remove', key })))
    await expect
      .poll(() => told.at(-1))
      .toMatch(
        /^Cannot take over what the store says of the hosts: it does not know host 2, which is this one\./,
      )
    expect(await known()).toBe('1 198.18.1.98')
  })

  it('keeps all of them when it is the first to come back into a directory that was emptied', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('b'))
    const a = machineOf('a')
    const before = await follow(directory, a)
    await expect.poll(before.known).toBe('1 198.18.1.98')
    await makeNetwork(a)
    const emptied = openMemoryStore()
    const after = await follow(emptied, a)
    await join(emptied, machineOf('c'))
    await join(emptied, machineOf('d'))
    await expect.poll(after.known).toBe('1 198.18.1.99, 3 198.18.1.0')
    const alone = await follow(openMemoryStore(), a)
    await expect.poll(() => alone.told.join(' ')).toBe('reached')
    expect(await alone.known()).toBe('1 198.18.1.99, 3 198.18.1.0')
  })

  it('keeps all of them when its number is that of another', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('b'))
    const { told, known } = await follow(directory, machineOf('a'))
    await expect.poll(known).toBe('1 198.18.1.98')
    const entry = await directory.get('/hosts/2')
    const value = JSON.stringify({ ...JSON.parse(entry?.value ?? ''), instanceId: 'x', name: 'other' })
    await directory.commit([
      { kind: 'put', key: '/hosts/2', value },
      { kind: 'remove', key: '/hosts/1' },
    ])
    await expect.poll(() => told.at(-1)).toMatch(/it has host 2, which is this one, as another \("other"\)/)
    expect(await known()).toBe('1 198.18.1.98')
  })

  it('writes nothing and tells nothing when it starts again among the same others', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('b'))
    const a = machineOf('a')
    const first = await follow(directory, a)
    await expect.poll(first.known).toBe('1 198.18.1.98')
    const { revision } = await a.journal.list('/')
    const again = await follow(directory, a)
    await expect.poll(() => again.told.join(' ')).toBe('reached')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(again.told).toEqual(['reached'])
    expect((await a.journal.list('/')).revision).toBe(revision)
  })
})
