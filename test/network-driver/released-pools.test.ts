import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { removeSegment } from '../../ipam-driver/segments.ts'
import { NameSchema } from '../../store/ids.ts'
import { holdsOf, segmentsOf } from '../ipam-driver/directory-steps.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, startRomana } from './romana-steps.ts'

const [BLUE, WEB] = [v.parse(NameSchema, 'blue'), v.parse(NameSchema, 'web')]
const OF_WEB = { tenant: BLUE, segment: WEB }

/** Two networks of one cell, and what the engine calls to remove one of them. */
async function twoNetworks() {
  const romana = await startRomana()
  const [one, two] = [
    await romana.engine.createNetwork('n1', OF_WEB),
    await romana.engine.createNetwork('n2', OF_WEB),
  ]
  const release = () => romana.call('IpamDriver.ReleasePool', { PoolID: one.poolId })
  const remove = () => romana.call('NetworkDriver.DeleteNetwork', { NetworkID: one.id })
  return { romana, two, release, remove }
}

/** The segments that this host holds, and the cells of its pools. */
async function held({ directory, journal }: Romana): Promise<string> {
  return `${await holdsOf(directory)} ${await keysOf(journal, '/pools/')}`.trim()
}

describe('a pool that is released once more than it has networks', () => {
  // An engine that dies in "network rm" removes the network again at its next start, pool first.
  it.each([
    ['before the network is deleted', ['release', 'release', 'remove']],
    ['behind it', ['release', 'remove', 'release']],
    ['behind it, twice', ['release', 'remove', 'release', 'release', 'remove']],
  ] as const)('%s, stays for the other network', async (_when, calls) => {
    const { romana, two, ...engine } = await twoNetworks()
    for (const call of calls) await engine[call]()
    expect(await held(romana)).toBe('blue/web@1 /pools/10.1.17.0/24')
    await expect(removeSegment(romana.directory, BLUE, WEB)).rejects.toThrow('(E_SEGMENT_IN_USE)')
    const container = await romana.engine.run('e1', two)
    await romana.engine.stop(container)
    await romana.engine.removeNetwork(two)
    expect(await held(romana)).toBe('')
    await removeSegment(romana.directory, BLUE, WEB)
    expect(await segmentsOf(romana.directory)).toBe('')
  })

  it('stays over a start of the plugin', async () => {
    const { romana, two, release, remove } = await twoNetworks()
    await release()
    await release()
    const again = await startRomana(romana)
    expect(await held(again)).toBe('blue/web@1 /pools/10.1.17.0/24')
    await remove()
    await again.engine.removeNetwork(two)
    expect(await held(again)).toBe('')
  })

  it('is there for a network that was made of it meanwhile', async () => {
    const { romana, release, remove } = await twoNetworks()
    await release()
    await remove()
    await romana.engine.createNetwork('n3', OF_WEB)
    await release()
    await release()
    expect(await held(romana)).toBe('blue/web@1 /pools/10.1.17.0/24')
  })
})

it('a pool goes with its networks when they are removed side by side', async () => {
  const { romana, two, release, remove } = await twoNetworks()
  await Promise.all([release().then(remove), romana.engine.removeNetwork(two)])
  expect(await held(romana)).toBe('')
})

it('a pool goes with its network when the host could not be changed', async () => {
  const { romana, two, release, remove } = await twoNetworks()
  await romana.engine.removeNetwork(two)
  await release()
  romana.kernel.failNext('observe')
  await expect(remove()).rejects.toThrow('(E_COMMAND)')
  expect(await held(romana)).toBe('')
})
