import { describe, expect, test } from 'vitest'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { DISTURBANCES } from './disturbances.ts'
import { WEB, wantedOf } from './host-fixtures.ts'
import { bringTo, makeLivedInKernel } from './lived-in-kernel.ts'

const WANTED = wantedOf([WEB])
async function wantedKernel(): Promise<FakeKernel> {
  const kernel = makeLivedInKernel()
  await bringTo(WANTED, kernel)
  return kernel
}

describe('the plan repairs the host after somebody', () => {
  test.each(DISTURBANCES)('$what', async ({ table, lines, plan }) => {
    const kernel = await wantedKernel()
    const before = ourRules(kernel)
    kernel.iptablesRestore(4, restoreText(table, lines))
    expect(await bringTo(WANTED, kernel)).toBe(`# iptables-nft-restore\n${restoreText(table, plan)}`)
    expect(ourRules(kernel)).toBe(before)
    expect(await bringTo(WANTED, kernel)).toBe('')
  })

  test('flushed all tables, as a whole', async () => {
    const kernel = await wantedKernel()
    const wanted = ourRules(kernel)
    flush(kernel)
    expect(ourRules(kernel)).not.toBe(wanted)
    await bringTo(WANTED, kernel)
    expect(ourRules(kernel)).toBe(wanted)
    expect(await bringTo(WANTED, kernel)).toBe('')
  })

  test('deleted the rule that keeps IPv6 of endpoints out', async () => {
    const kernel = await wantedKernel()
    const before = kernel.show()
    kernel.iptablesRestore(6, restoreText('raw', [':ROMANA-PREROUTING - [0:0]']))
    expect(await bringTo(WANTED, kernel)).toBe(
      '# ip6tables-nft-restore\n' +
        restoreText('raw', [':ROMANA-PREROUTING - [0:0]', '-A ROMANA-PREROUTING -i rmn+ -j DROP']),
    )
    expect(kernel.show()).toBe(before)
  })
})

test('the plan leaves a person alone who speaks of our chains in a comment', async () => {
  const kernel = await wantedKernel()
  const rule = '-A OUTPUT -m comment --comment "see the -j ROMANA-HOST rules" -j ACCEPT'
  kernel.iptablesRestore(4, restoreText('filter', [rule]))
  expect(await bringTo(WANTED, kernel)).toBe('')
})

test('our jump follows DOCKER-USER also where nothing else does', async () => {
  const kernel = makeFakeKernel()
  kernel.iptablesRestore(4, restoreText('filter', [':DOCKER-USER - [0:0]', '-A FORWARD -j DOCKER-USER']))
  expect(await bringTo(WANTED, kernel)).toContain('\n-I FORWARD 2 -j ROMANA-FORWARD\n')
  expect(await bringTo(WANTED, kernel)).toBe('')
})

test('nothing is changed in a table that cannot be changed whole', async () => {
  const kernel = makeLivedInKernel()
  const before = kernel.show()
  kernel.failNext('iptables-restore')
  await expect(bringTo(WANTED, kernel)).rejects.toThrow(
    'Cannot run "iptables-restore": Another app is currently holding the xtables lock (E_COMMAND)',
  )
  expect(kernel.show()).toBe(before)
  await bringTo(WANTED, kernel)
  expect(await bringTo(WANTED, kernel)).toBe('')
})

function restoreText(table: string, lines: readonly string[]): string {
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`
}

function ourRules(kernel: FakeKernel): string {
  return kernel
    .show()
    .split('\n')
    .filter((line) => line.includes('ROMANA-'))
    .join('\n')
}

/** What `iptables -F` and `iptables -X` leave of the lived-in host: policies. */
function flush(kernel: FakeKernel): void {
  const lines = kernel.show().split('\n')
  for (const [program, family] of [
    ['iptables', 4],
    ['ip6tables', 6],
  ] as const) {
    for (const table of ['filter', 'nat', 'raw']) {
      const rules = lines.filter((line) => line.startsWith(`${program} -t ${table} -`))
      const bodies = rules.map((line) => line.slice(`${program} -t ${table} `.length))
      const added = bodies.filter((body) => body.startsWith('-A '))
      const chains = bodies.filter((body) => body.startsWith('-N '))
      const deletions = [
        ...added.map((body) => body.replace('-A ', '-D ')),
        ...chains.map((body) => body.replace('-N ', '-X ')),
      ]
      if (deletions.length > 0) kernel.iptablesRestore(family, restoreText(table, deletions))
    }
  }
}
