/** Docker moves from one iptables to the other, and Romana with it. */
import { afterAll, describe, expect, test } from 'vitest'
import { isEmptyPlan, planHost } from '../../host/plan-host.ts'
import { WEB, wantedOf } from '../host/host-fixtures.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { openKernelHost, VARIANTS } from './kernel-host.ts'
import { moveIn } from './lived-in-host.ts'

const namespaces = makeNetnsSet()
afterAll(() => namespaces.removeAll())

describe.each(VARIANTS)('the rules of a host with iptables-%s', (variant) => {
  const other = variant === 'nft' ? 'legacy' : 'nft'

  test(`move to iptables-${other} and leave nothing but what others have`, async () => {
    const host = await openKernelHost(namespaces, variant, 'moving')
    const save = (of: string) => host.netns.run({ file: `iptables-${of}-save`, args: [] })
    await moveIn(host)
    const before = rulesOf(await save(variant))
    await host.bringTo(wantedOf([WEB]))
    expect(await save(variant)).toContain('ROMANA-FORWARD')
    const wanted = { ...wantedOf([WEB]), iptables: other } as const
    await host.host.apply(planHost(wanted, await host.host.observe()))
    expect(rulesOf(await save(variant))).toBe(before)
    expect(await save(other)).toContain(':ROMANA-FORWARD ')
    expect(isEmptyPlan(planHost(wanted, await host.host.observe()))).toBe(true)
  })
})

/** Rules, without chains: a chain that is empty says nothing. */
function rulesOf(saved: string): string {
  return saved
    .split('\n')
    .filter((line) => line.startsWith('-A '))
    .join('\n')
}
