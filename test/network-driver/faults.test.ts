import * as fc from 'fast-check'
import { it } from 'vitest'
import { type Action, FaultyHost, type Step } from './faulty-host.ts'
import type { Fault } from './faulty-plugin.ts'

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>('well') },
  { weight: 2, arbitrary: fc.constant<Fault>('twice') },
  { weight: 1, arbitrary: fc.constant<Fault>('never comes') },
  { weight: 1, arbitrary: fc.constant<Fault>('engine dies') },
  { weight: 2, arbitrary: fc.nat(4) },
)

const container = fc.nat(20)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      { kind: fc.constant('run' as const), network: fc.nat(3), ip: fc.nat(4), port: fc.nat(2) },
      { requiredKeys: ['kind', 'network'] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('stop' as const), container }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), container }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('network' as const) }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.array(action, { minLength: 1, maxLength: 4 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>('plugin restarts', 'journal is lost', 'host reboots', 'a minute passes'),
  },
)

const faultyHost = { faults: fc.array(fault, { maxLength: 120 }), steps: fc.array(step, { maxLength: 15 }) }

it('whatever dies and whenever: no address at two containers, no container cut off, nothing taken for ever', {
  timeout: 60_000,
}, async () => {
  const property = fc.asyncProperty(fc.record(faultyHost), async ({ faults, steps }) => {
    const host = new FaultyHost(faults)
    await host.createNetworks()
    for (const taken of steps) await host.take(taken)
    await host.expectNothingTaken()
    await host.expectNothingLeft()
  })
  await fc.assert(property, { numRuns: 250 })
})
