/** Flows that the real kernel keeps in mind: what a policy forbids is forgotten, in time, and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseConntrack } from '../../host/parse-conntrack.ts'
import { cutFlows } from '../../network-driver/flow-cuts.ts'
import { BOTH_PLANS } from '../host/host-fixtures.ts'
import { makeNetnsSet } from '../support/netns.ts'
import type { OraclePolicy } from '../support/policy-oracle.ts'
import { recordsOf } from '../support/policy-world.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'

/** Milliseconds. */
const CUT_WITHIN_MS = 2_000
const COUNT = 1_000
/** Beside them: a machine with many connections must not be slower. */
const KEPT = 20_000

/** Of segment db, which is number 2 of tenant 1, as in the addresses below. */
const POLICY: OraclePolicy = {
  name: 'db',
  direction: 'ingress',
  appliesTo: [{ tenant: 'red', segment: 'db' }],
  default: 'deny',
  peers: [{ tenant: 'red', segment: 'web' }],
  rules: [{ protocol: 'tcp', ports: [443] }],
}

const namespaces = makeNetnsSet()
let kernel: KernelHost
beforeAll(async () => {
  kernel = await openKernelHost(namespaces, 'nft')
  // The kernel keeps flows in mind for a namespace in which a rule asks for them.
  await kernel.restore('*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n')
})
afterAll(() => namespaces.removeAll())

it(`${COUNT} flows are cut within ${CUT_WITHIN_MS} ms, and those beside them are not`, async () => {
  const many = (count: number, textOf: (ends: string) => string) =>
    Array.from({ length: count }, (_, index) =>
      textOf(`-s 10.1.17.${2 + (index % 250)} -d 10.2.18.${2 + (index % 200)} --sport ${20_000 + index}`),
    )
  await begin([
    ...many(COUNT, (ends) => `-p udp ${ends} --dport 53`),
    ...many(KEPT, (ends) => `-p tcp ${ends} --dport 443 --state ESTABLISHED`),
    '-p tcp -s fd3a:1c55:9e02:1:1:1::2 -d fd3a:1c55:9e02:1:1:2::2 --sport 9 --dport 80 --state ESTABLISHED',
    '-p icmp -s 10.1.17.2 -d 10.1.18.2 --icmp-type 8 --icmp-code 0 --icmp-id 5',
    '-p udp -s 10.1.17.2 -d 10.1.17.3 --sport 9 --dport 53',
    '-p udp -s 192.0.2.1 -d 192.0.2.2 --sport 9 --dport 53',
  ])
  const seen = await kernel.host.observe()
  const startedMs = performance.now()
  const parts = {
    host: kernel.host,
    plans: BOTH_PLANS,
    records: async () => ({ networks: [], endpoints: [], ports: [], policies: recordsOf([POLICY]) }),
    uplinks: undefined,
    seen,
    endpoints: [],
    isHostOpen: false,
    stores: [],
  }
  expect(await cutFlows(parts)).toBe(COUNT + 2)
  expect(performance.now() - startedMs).toBeLessThan(CUT_WITHIN_MS)
  const left = parseConntrack(await kernel.netns.run({ file: 'conntrack', args: ['-L'] }))
  expect(left.filter(({ port }) => port === 443)).toHaveLength(KEPT)
  expect(
    left
      .filter(({ port }) => port !== 443)
      .map(({ protocol, source, destination, port }) => `${protocol} ${source} > ${destination} ${port}`)
      .sort()
      .join('\n'),
  ).toBe(`\
udp 10.1.17.2 > 10.1.17.3 53
udp 192.0.2.1 > 192.0.2.2 53`)
})

async function begin(flows: readonly string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'romana-flows-'))
  namespaces.defer(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'flows')
  writeFileSync(file, flows.map((flow) => `-I -t 600 ${flow}\n`).join(''))
  await kernel.netns.run({ file: 'conntrack', args: ['--load-file', file] })
}
