/** A host that was alone brings its directory into the store that several share. */
import { describe, expect, it } from 'vitest'
import { moveDirectory } from '../../cluster/move.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { makeIpam } from '../ipam-driver/ipam-steps.ts'
import { hostsOf, join, machineOf, textOf } from './cluster-steps.ts'

/** A single host with networks in these segments. */
async function hostAlone(name: string, ...segments: readonly string[]) {
  const machine = machineOf(name)
  const from = openMemoryStore()
  const { host, instanceId } = await join(from, machine, { isShared: false })
  const ipam = makeIpam({ directory: from, journal: machine.journal })
  for (const segment of segments) {
    const [tenant = '', name = ''] = segment.split('/')
    await ipam.pool({ tenant, segment: name })
  }
  const move = (to: Store) => moveDirectory({ from, to, journal: machine.journal, host, instanceId })
  return { machine, from, instanceId, move }
}

async function textOfStore(store: Store): Promise<string> {
  return (await store.list('/')).entries.map(({ key, value }) => `${key} ${value}`).join('\n')
}

describe('moving into an empty store', () => {
  it('copies all, and the host keeps its number', async () => {
    const { machine, from, move } = await hostAlone('a', 'blue/web', 'blue/db', 'green/web')
    const to = openMemoryStore()
    await move(to)
    expect(await textOfStore(to)).toBe(await textOfStore(from))
    expect(textOf(await join(to, machine))).toBe('host 1 of 10.0.0.0/8 8/4/4/8')
    expect(textOf(await join(to, machineOf('b')))).toBe('host 2 of 10.0.0.0/8 8/4/4/8')
  })

  it('can be repeated after a crash at any step', async () => {
    for (let steps = 1; steps < 6; steps += 1) {
      const { from, move } = await hostAlone('a', 'blue/web', 'green/web')
      const to = openMemoryStore()
      await move(dyingAfter(steps, to)).catch(() => undefined)
      await move(to)
      expect(await textOfStore(to)).toBe(await textOfStore(from))
    }
  })

  it('lets other hosts wait until it has done', async () => {
    const { machine, move } = await hostAlone('a', 'blue/web')
    const to = openMemoryStore()
    await move(dyingAfter(2, to)).catch(() => undefined)
    await expect(join(to, machineOf('b'))).rejects.toThrow(
      'Cannot join the cluster: another host is moving its own directory into the store, and has not done yet',
    )
    await move(to)
    await join(to, machine)
    await join(to, machineOf('b'))
    expect(await hostsOf(to)).toBe('1 a 198.18.1.97, 2 b 198.18.1.98')
  })
})

describe('moving into a store in use', () => {
  it('is refused where numbers disagree, and changes nothing', async () => {
    const to = openMemoryStore()
    await (await hostAlone('b', 'red/web', 'blue/web')).move(to)
    await join(to, machineOf('b'))
    const { move } = await hostAlone('a', 'blue/web')
    const before = await textOfStore(to)
    await expect(move(to)).rejects.toThrow(
      'Cannot bring the networks of this host into the cluster: the store does not agree: host number 1 is that of host 1 ' +
        '("b", 198.18.1.98); tenant "blue" has number 2 there and 1 here. Remove its Romana networks',
    )
    expect(await textOfStore(to)).toBe(before)
  })

  it('is refused where a number is that of another name, though the names are unknown there', async () => {
    const to = openMemoryStore()
    await (await hostAlone('b', 'red/web')).move(to)
    const { move } = await hostAlone('a', 'blue/db')
    await expect(move(to)).rejects.toThrow('tenant number 1 is that of "red" there and of "blue" here')
    const other = await hostAlone('a', 'red/db')
    await expect(other.move(to)).rejects.toThrow(
      'segment number 1 of tenant "red" is that of "web" there and of "db" here',
    )
  })

  it('is well where all agree', async () => {
    const { move, machine } = await hostAlone('a', 'blue/web')
    const to = openMemoryStore()
    await move(to)
    await join(to, machine)
    await move(to)
    expect(await hostsOf(to)).toBe('1 a 198.18.1.97')
  })
})

/** The store stops to answer behind so many calls. */
function dyingAfter(calls: number, store: Store): Store {
  let left = calls
  const alive = <T>(call: () => Promise<T>) => {
    left -= 1
    return left < 0 ? Promise.reject(new Error('dead')) : call()
  }
  return {
    get: (key) => alive(() => store.get(key)),
    list: (prefix) => alive(() => store.list(prefix)),
    commit: (changes) => alive(() => store.commit(changes)),
    watch: store.watch,
    close: async () => undefined,
  }
}
