import * as fc from 'fast-check'
import { it } from 'vitest'
import type { Action, Step } from './faulty-actions.ts'
import { FaultyHost } from './faulty-host.ts'
import type { Fault } from './faulty-plugin.ts'

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>('well') },
  { weight: 2, arbitrary: fc.constant<Fault>('twice') },
  { weight: 1, arbitrary: fc.constant<Fault>('never comes') },
  { weight: 1, arbitrary: fc.constant<Fault>('engine dies') },
  { weight: 2, arbitrary: fc.nat(14) },
)

const container = fc.nat(20)
const network = fc.nat(4)
const run = fc.record(
  {
    kind: fc.constant('run' as const),
    networks: fc.uniqueArray(network, { minLength: 1, maxLength: 3 }),
    ip: fc.nat(4),
    port: fc.nat(2),
  },
  { requiredKeys: ['kind', 'networks'] },
)
const stray = fc.record({
  kind: fc.constant('stray' as const),
  what: fc.constantFrom('again' as const, 'again' as const, 'other id' as const, 'release' as const),
  turns: fc.nat(150),
  which: fc.nat(),
  times: fc.constantFrom(1, 1, 2, 10),
})
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 7, arbitrary: run },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('connect' as const), container, network }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), container }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('stop' as const), container }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), container }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('network' as const), isShared: fc.boolean() }) },
  { weight: 5, arbitrary: stray },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.array(action, { minLength: 1, maxLength: 4 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>('plugin restarts', 'journal is lost', 'host reboots', 'a minute passes'),
  },
  { weight: 1, arbitrary: fc.nat(12) },
)

const faultyHost = {
  faults: fc.array(fault, { maxLength: 120 }),
  steps: fc.array(step, { maxLength: 15 }),
  pace: fc.array(fc.nat(8), { maxLength: 30 }),
}

it('whatever dies and whenever: no address at two containers, no container cut off, nothing taken for ever', {
  timeout: 120_000,
}, async () => {
  const property = fc.asyncProperty(fc.record(faultyHost), async ({ faults, steps, pace }) => {
    await using host = new FaultyHost(faults, pace)
    await host.createNetworks()
    for (const taken of steps) await host.take(taken)
    await host.expectNothingTaken()
    await host.expectNothingLeft()
  })
  await fc.assert(property, { numRuns: 200 })
})
