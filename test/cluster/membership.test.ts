/** Which number a machine has, and which machines are refused. */
import { describe, expect, it } from 'vitest'
import { acceptHost, listHosts, removeHost } from '../../cluster/hosts.ts'
import { RomanaError } from '../../errors.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { overtaken } from '../ipam-driver/directory-steps.ts'
import {
  clock,
  endSession,
  hostsOf,
  join,
  keepAlive,
  type MachineUnderTest,
  machineOf,
  makeNetwork,
  textOf,
} from './cluster-steps.ts'

const SMALL = '10.0.0.0/8 2/6/8/8'

/** A copy of a machine's disk in another machine. */
function copyOf({ machine, journal }: MachineUnderTest, name: string): MachineUnderTest {
  const { machineId } = machine
  return { journal, machine: { ...machineOf(name).machine, machineId } }
}

/** A directory that does not answer. */
function away(directory: Store): Store {
  const fail = async () => {
    throw new RomanaError('E_STORE_AWAY', { cannot: 'read the store', because: 'no member answers' })
  }
  return { get: fail, list: fail, commit: fail, watch: directory.watch, close: async () => undefined }
}

describe('the number of a host', () => {
  it('is the lowest free one, and the machine keeps it', async () => {
    const directory = openMemoryStore()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => machineOf(name))
    const numbers: number[] = []
    for (const machine of [a, b, a, c, b]) if (machine) numbers.push((await join(directory, machine)).host)
    expect(numbers.join(' ')).toBe('1 2 1 3 2')
    expect(await hostsOf(directory)).toBe('1 a 198.18.1.97, 2 b 198.18.1.98, 3 c 198.18.1.99')
  })

  it('is another one for each of three that start at the same moment', async () => {
    const directory = openMemoryStore()
    const machines = ['a', 'b', 'c'].map((name) => machineOf(name))
    const joined = await Promise.all([...machines, ...machines].map((machine) => join(directory, machine)))
    const numbers = joined.map(({ host }) => host)
    expect(new Set(numbers.slice(0, 3)).size).toBe(3)
    expect(numbers.slice(3)).toEqual(numbers.slice(0, 3))
  })

  it('is refused to a fourth where there are three', async () => {
    const directory = openMemoryStore()
    for (const name of ['a', 'b', 'c']) await join(directory, machineOf(name), { plan: SMALL })
    await expect(join(directory, machineOf('d'))).rejects.toThrow(
      'Cannot give this host a number: all 3 host numbers of the plan 10.0.0.0/8 are taken. Remove a host that is gone ' +
        '("romana host list", "romana host remove"), or use a plan with more host bits (E_NUMBER)',
    )
  })

  it('is 0 in a plan without host bits', async () => {
    const { host } = await join(openMemoryStore(), machineOf('a'), { plan: '192.168.0.0/16 0/0/8/8' })
    expect(host).toBe(0)
  })

  it('changes with a plan that was changed before anybody used it', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    const numbers: number[] = []
    for (const plan of [SMALL, '192.168.0.0/16 0/0/8/8', SMALL])
      numbers.push((await join(directory, a, { plan })).host)
    expect(numbers.join(' ')).toBe('1 0 1')
  })

  it('stays when the machine gets another address, another name and another network card', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    const b = machineOf('b').machine
    const moved = {
      ...a.machine,
      name: 'renamed',
      linkAddresses: [...a.machine.linkAddresses, ...b.linkAddresses],
    }
    await join(directory, { ...a, machine: { ...moved, underlay: b.underlay } })
    expect(await hostsOf(directory)).toBe('1 renamed 198.18.1.98')
  })

  it('stays when the journal is lost', async () => {
    const directory = openMemoryStore()
    const { instanceId } = await join(directory, machineOf('a'))
    const again = await join(directory, machineOf('a'))
    expect(again.host).toBe(1)
    expect(again.instanceId).not.toBe(instanceId)
  })

  it('of a host of the first release is kept, though its record says less', async () => {
    const directory = openMemoryStore()
    const value = JSON.stringify({ number: 7, machineId: 'id-a', name: 'a' })
    await directory.commit([{ kind: 'put', key: '/hosts/7', value }])
    expect((await join(directory, machineOf('a'))).host).toBe(7)
  })
})

describe('a copy of a machine', () => {
  it('is refused before it gets an address, and is told whose copy it is', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    await expect(join(directory, copyOf(a, 'b'))).rejects.toThrow(
      'Cannot join the cluster: this machine has the ids of host 1 ("a", 198.18.1.97), which is another machine or still ' +
        'runs. A copy needs a machine id of its own (remove /etc/machine-id, run systemd-machine-id-setup) and an empty ' +
        '/var/lib/romana. If this is that host with other hardware, type on another host: romana host accept 1 (E_HOST_CLONE)',
    )
    expect(await hostsOf(directory)).toBe('1 a 198.18.1.97')
  })

  it('is refused with a machine id of its own too, as long as it has the journal', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    const copy = { ...copyOf(a, 'b'), machine: machineOf('b').machine }
    await expect(join(directory, copy)).rejects.toThrow('(E_HOST_CLONE)')
  })

  it('is refused with an empty journal too, as long as it has the machine id', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    await expect(join(directory, { ...copyOf(a, 'b'), journal: openMemoryStore() })).rejects.toThrow(
      '(E_HOST_CLONE)',
    )
  })

  it('is refused while the store is away, by its own journal', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    await expect(join(away(directory), copyOf(a, 'b'))).rejects.toThrow(
      'Cannot go on without the store of the cluster: the journal is that of host 1 on another machine',
    )
  })

  it('is a host of its own with ids and a journal of its own', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('a'))
    expect(textOf(await join(directory, machineOf('b')))).toBe('host 2 of 10.0.0.0/8 8/4/4/8')
  })

  it('is refused while the other lives, even if hardware says nothing', async () => {
    const directory = openMemoryStore()
    const unknown = { productUuid: undefined, linkAddresses: [] }
    const a = machineOf('a', unknown)
    await keepAlive(directory, await join(directory, a))
    const second = { machine: a.machine, journal: openMemoryStore() }
    await expect(join(directory, second)).rejects.toThrow('(E_HOST_CLONE)')
    // Its own process, started again, is the same host.
    expect((await join(directory, a)).host).toBe(1)
  })

  it('is let in when a person says that it is the host with other hardware', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    const first = await join(directory, a)
    await keepAlive(directory, first)
    await expect(acceptHost(directory, first.host)).rejects.toThrow('its plugin runs, or has just ended')
    await endSession(directory, first.host)
    await acceptHost(directory, first.host)
    expect((await join(directory, copyOf(a, 'b'))).host).toBe(1)
    // From now on it is the new hardware that counts.
    await expect(join(directory, a)).rejects.toThrow('(E_HOST_CLONE)')
  })
})

describe('a copy of a disk', () => {
  it('is refused though the directory does not know whose it is', async () => {
    const a = machineOf('a')
    await join(openMemoryStore(), a)
    const copy = { ...a, machine: machineOf('b').machine }
    await expect(join(openMemoryStore(), copy)).rejects.toThrow(
      'Cannot join the cluster: the journal is that of host 1 on another machine. Empty /var/lib/romana (E_HOST_CLONE)',
    )
  })

  it('with a machine id of its own is not the host that was accepted with other hardware', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await acceptHost(directory, (await join(directory, a)).host)
    const copy = { ...a, machine: machineOf('b').machine }
    await expect(join(directory, copy)).rejects.toThrow('this machine has the ids of host 1')
  })

  it('is one host or none, when it starts at the same moment as the machine it comes from', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    const bound = { ...copyOf(a, 'b'), journal: openMemoryStore() }
    const both = await Promise.allSettled([join(directory, a), join(directory, bound)])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('the plan, changed while a host joins', () => {
  it('is the same for both', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    const slow = overtaken(directory, () => join(directory, a, { plan: SMALL }))
    expect(textOf(await join(slow, machineOf('b')))).toBe(`host 2 of ${SMALL}`)
  })
})

describe('an address on the underlay', () => {
  it('belongs to one living host', async () => {
    const directory = openMemoryStore()
    await keepAlive(directory, await join(directory, machineOf('a')))
    const { underlay } = machineOf('a').machine
    await expect(join(directory, machineOf('b', { underlay }))).rejects.toThrow(
      'Cannot join the cluster: its address 198.18.1.97 is that of host 1 ("a", 198.18.1.97). Set ROMANA_UNDERLAY_ADDRESS',
    )
  })

  it('cannot be that to which another host moves', async () => {
    const directory = openMemoryStore()
    await keepAlive(directory, await join(directory, machineOf('a')))
    const b = machineOf('b')
    await join(directory, b)
    const { underlay } = machineOf('a').machine
    await expect(join(directory, { ...b, machine: { ...b.machine, underlay } })).rejects.toThrow(
      'its address 198.18.1.97 is that of host 1 ("a", 198.18.1.97)',
    )
  })

  it('of a host that is away may be taken over', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('a'))
    const { underlay } = machineOf('a').machine
    expect((await join(directory, machineOf('b', { underlay }))).host).toBe(2)
  })
})

describe('a store that is away', () => {
  it('keeps no host from starting that has joined before', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a, { plan: SMALL })
    expect(textOf(await join(away(directory), a))).toBe(`host 1 of ${SMALL}, says its journal`)
  })

  it('keeps a host from joining', async () => {
    await expect(join(away(openMemoryStore()), machineOf('a'))).rejects.toThrow('(E_STORE_AWAY)')
  })

  it('keeps a host from taking another plan', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await join(directory, a)
    await expect(join(away(directory), a, { plan: SMALL })).rejects.toThrow('(E_PLAN_CHANGED)')
  })

  it('keeps a host that was alone from taking its own directory for the one that is shared', async () => {
    const a = machineOf('a')
    await join(openMemoryStore(), a, { isShared: false })
    await expect(join(away(openMemoryStore()), a)).rejects.toThrow('(E_STORE_AWAY)')
  })
})

describe('the plan of a cluster', () => {
  it('does not change once there are two hosts', async () => {
    const directory = openMemoryStore()
    await join(directory, machineOf('a'), { plan: SMALL })
    await join(directory, machineOf('a'))
    await join(directory, machineOf('b'))
    await expect(join(directory, machineOf('b'), { plan: '10.0.0.0/8 8/4/4/8' })).rejects.toThrow(
      `the recorded plan is "${SMALL}"`,
    )
  })
})

describe('removing a host', () => {
  it('needs it to be away, and lets its number rest', async () => {
    clock.ms = 0
    const directory = openMemoryStore()
    const joined = await join(directory, machineOf('a'))
    await keepAlive(directory, joined)
    await expect(removeHost(directory, joined.host)).rejects.toThrow('(E_HOST_IN_USE)')
    await endSession(directory, joined.host)
    await removeHost(directory, joined.host)
    expect(await hostsOf(directory)).toBe('1 a 198.18.1.97 removed')
    const b = machineOf('b')
    expect((await join(directory, b)).host).toBe(2)
    clock.ms = 300_001
    const c = machineOf('c')
    await expect(join(away(directory), c)).rejects.toThrow()
    expect((await join(directory, c)).host).toBe(3)
  })

  it('gives its number to another when it has rested', async () => {
    clock.ms = 0
    const directory = openMemoryStore()
    const { host } = await join(directory, machineOf('a'))
    await removeHost(directory, host)
    const b = machineOf('b')
    await join(directory, b)
    clock.ms = 300_001
    // The same plugin has seen it rest.
    await directory.commit([{ kind: 'remove', key: '/hosts/2' }])
    expect((await join(directory, b)).host).toBe(1)
  })

  it('gives its number to another at once where no other is left', async () => {
    const directory = openMemoryStore()
    for (const name of ['a', 'b', 'c']) await join(directory, machineOf(name), { plan: SMALL })
    const [, second] = await listHosts(directory)
    if (second === undefined) throw new Error('No second host')
    await removeHost(directory, second.number)
    expect((await join(directory, machineOf('d'))).host).toBe(2)
  })

  it('lets it come back under its number as long as nobody has it', async () => {
    const directory = openMemoryStore()
    const a = machineOf('a')
    await removeHost(directory, (await join(directory, a)).host)
    expect((await join(directory, a)).host).toBe(1)
    expect(await hostsOf(directory)).toBe('1 a 198.18.1.97')
  })

  it('refuses a host with networks whose number is another one by now', async () => {
    const directory = openMemoryStore()
    const [a, d] = [machineOf('a'), machineOf('d')]
    for (const machine of [a, machineOf('b'), machineOf('c')]) await join(directory, machine, { plan: SMALL })
    await makeNetwork(a)
    const [first] = await listHosts(directory)
    if (first === undefined) throw new Error('No first host')
    await removeHost(directory, first.number)
    await join(directory, d)
    await expect(join(directory, a)).rejects.toThrow(
      'this host has networks with the addresses of host number 1, which is that of host 1 ("d", 198.18.1.0) now',
    )
  })

  it('takes what the directory copied of it along', async () => {
    const directory = openMemoryStore()
    const { host } = await join(directory, machineOf('a'))
    const keys = Array.from({ length: 250 }, (_, index) => `/host-endpoints/${host}/e${index}`)
    for (const key of keys) await directory.commit([{ kind: 'put', key, value: '{}' }])
    await removeHost(directory, host)
    expect((await directory.list('/host-endpoints/')).entries).toEqual([])
  })

  it('says so when there is none', async () => {
    const directory = openMemoryStore()
    const { host } = await join(directory, machineOf('a'))
    await directory.commit([{ kind: 'remove', key: '/hosts/1' }])
    await expect(removeHost(directory, host)).rejects.toThrow(
      'Cannot remove host 1: there is none of this number',
    )
  })
})

it('a directory that was lost gets the plan that the networks of a host follow from', async () => {
  const a = machineOf('a')
  await join(openMemoryStore(), a, { plan: SMALL })
  await makeNetwork(a)
  const directory = openMemoryStore()
  await expect(join(directory, a, { plan: '10.0.0.0/8 8/4/4/8' })).rejects.toThrow('(E_PLAN_CHANGED)')
  expect(textOf(await join(directory, a))).toBe(`host 1 of ${SMALL}`)
})

it('a directory of another cluster does not take a host with networks of another plan', async () => {
  const [a, b, c] = [machineOf('a'), machineOf('b'), machineOf('c')]
  const own = openMemoryStore()
  await join(own, b, { plan: SMALL })
  await join(own, a)
  await makeNetwork(a)
  const directory = openMemoryStore()
  await join(directory, c)
  await expect(join(directory, a)).rejects.toThrow(
    `its plan is "10.0.0.0/8 8/4/4/8", and this host has networks with addresses of "${SMALL}"`,
  )
})

it('a directory that was lost gives a host with networks its number again', async () => {
  const [a, b] = [machineOf('a'), machineOf('b')]
  const old = openMemoryStore()
  await join(old, a)
  await join(old, b)
  await makeNetwork(b)
  const directory = openMemoryStore()
  expect((await join(directory, b)).host).toBe(2)
})
