import { afterAll, beforeAll, describe } from 'vitest'
import { makeNetnsSet } from '../support/netns.ts'
import { testForgeries } from './forgery-tests.ts'
import { testHostAccess } from './host-access-tests.ts'
import { VARIANTS } from './kernel-host.ts'
import { testReachability } from './reachability-tests.ts'
import { makeSmallWorld, type SmallWorld } from './small-world.ts'

// The two worlds side by side, since most of a probe is waiting; the tests of one world in turn.
describe.concurrent.each(VARIANTS)('through iptables-%s', (variant) => {
  const namespaces = makeNetnsSet()
  let world: SmallWorld
  beforeAll(async () => {
    world = await makeSmallWorld(namespaces, variant)
  })
  afterAll(() => namespaces.removeAll())

  describe('in turn', { concurrent: false }, () => {
    testReachability(() => world)
    testForgeries(() => world)
    testHostAccess(() => world)
  })
})
