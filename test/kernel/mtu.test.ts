/** 64 KiB in every direction, published or not, over links that take more or less. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeNetnsSet } from '../support/netns.ts'
import { type MtuWorld, makeMtuWorld } from './mtu-world.ts'

describe('transfers between containers, and from and to the outside', () => {
  const set = makeNetnsSet()
  let world: MtuWorld
  beforeAll(async () => {
    world = await makeMtuWorld(set)
  })
  afterAll(() => set.removeAll())

  it.each([1400, 1500, 9000])('reach their end over an underlay of %i bytes', async (underlay) => {
    await world.set({ underlay })
    expect(await world.failures()).toBe('')
  })

  it('reach it from containers with more than the underlay takes: their host says so', async () => {
    await world.set({ underlay: 1400, way: 1500, containers: 1500 })
    expect(await world.failures()).toBe('')
  })

  it('reach it over a narrow link behind the router: what that says gets to the containers', async () => {
    await world.set({ underlay: 9000, way: 1400 })
    expect(await world.failures()).toBe('')
  })

  it('reach it where the outside hears nothing of a narrow link, since the hosts say how much it takes', async () => {
    await world.set({ underlay: 1400, way: 1500, containers: 1500 })
    for (const program of ['iptables', 'ip6tables']) {
      const type = program === 'iptables' ? ['icmp', '--icmp-type', '3'] : ['icmpv6', '--icmpv6-type', '2']
      await world.outside.run({ file: program, args: ['-A', 'INPUT', '-p', ...type, '-j', 'DROP'] })
    }
    expect(await world.failures()).toBe('')
  })
})
