import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SEGMENT_MATCHES } from '../../host/segment-rules.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { testErrors } from './error-tests.ts'
import { testForgeries } from './forgery-tests.ts'
import { testHostAccess } from './host-access-tests.ts'
import { VARIANTS } from './kernel-host.ts'
import { testReachability } from './reachability-tests.ts'
import { makeSmallWorld, type SmallWorld } from './small-world.ts'

const WORLDS = VARIANTS.flatMap((variant) => SEGMENT_MATCHES.map((match) => ({ variant, match })))

// The worlds side by side, since most of a probe is waiting; the tests of one world in turn.
describe.concurrent.each(WORLDS)('through iptables-$variant by $match', ({ variant, match }) => {
  const namespaces = makeNetnsSet()
  let world: SmallWorld
  beforeAll(async () => {
    world = await makeSmallWorld(namespaces, variant, match)
  })
  afterAll(() => namespaces.removeAll())

  describe('in turn', { concurrent: false }, () => {
    test('the rules read as they were written', async () => {
      expect(await world.kernel.bringTo(world.wanted)).toBe('')
    })

    testReachability(() => world)
    testForgeries(() => world)
    if (match === 'bpf') testHostAccess(() => world)
    if (match === 'bpf') describe('of errors', { concurrent: false }, () => testErrors(() => world))
  })
})
