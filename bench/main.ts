/**
 * `npm run bench [-- --json] [--only containers|hosts|gaps] [--rounds N] [--containers N] [--hosts N] [--flushes N] [--release sid|bookworm]`:
 * what the plugin costs, and what passes while others take its rules away, on real engines in the lab. Nothing else should run on the
 * machine meanwhile.
 */
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { runMain } from '../lab/steps.ts'
import { ensureBuilt } from '../lab/up-plugin.ts'
import { measureContainers } from './container-figures.ts'
import { measureGaps } from './gaps.ts'
import { describeMachine, loadNow } from './machine.ts'
import { measureManyHosts } from './many-hosts.ts'
import { type Figures, report } from './report.ts'

const PLUGIN = 'romana-net'

const Count = v.pipe(v.string(), v.toNumber(), v.integer())
const Options = v.object({
  json: v.boolean(),
  only: v.optional(v.picklist(['containers', 'hosts', 'gaps'])),
  rounds: v.pipe(Count, v.minValue(2)),
  containers: v.pipe(Count, v.minValue(2)),
  hosts: v.pipe(Count, v.minValue(2), v.maxValue(1_000)),
  flushes: v.pipe(Count, v.minValue(1)),
  release: v.picklist(['sid', 'bookworm']),
})

async function main(): Promise<void> {
  const { json, only, hosts, flushes, ...wish } = readOptions()
  await ensureBuilt()
  const isAsked = (part: typeof only) => only === undefined || only === part
  const before = loadNow()
  const machine = describeMachine()
  const figures: Figures = {
    machine,
    ...(isAsked('containers') && { ofContainers: await measureContainers(PLUGIN, wish) }),
    ...(isAsked('hosts') && { manyHosts: await measureManyHosts(PLUGIN, hosts) }),
    ...(isAsked('gaps') && { gaps: await measureGaps(PLUGIN, flushes) }),
    loads: [before, loadNow()],
  }
  console.log(json ? JSON.stringify(figures, undefined, 2) : report(figures))
}

function readOptions(): v.InferOutput<typeof Options> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string', default: '30' },
      containers: { type: 'string', default: '100' },
      hosts: { type: 'string', default: '1000' },
      flushes: { type: 'string', default: '5' },
      release: { type: 'string', default: 'sid' },
    },
  })
  return v.parse(Options, values)
}

await runMain(main)
