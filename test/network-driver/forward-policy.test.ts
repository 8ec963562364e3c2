import { describe, expect, it } from 'vitest'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { type Romana, startRomana } from './romana-steps.ts'

function policyText(policy: 'ACCEPT' | 'DROP'): string {
  return `*filter\n:FORWARD ${policy} [0:0]\nCOMMIT\n`
}

/** A host that forwards already, as one with Docker does. */
async function startOn(policy: 'ACCEPT' | 'DROP'): Promise<Romana> {
  const kernel = makeFakeKernel()
  kernel.setForwarding(true)
  kernel.iptablesRestore(4, policyText(policy))
  const romana = await startRomana({ kernel })
  await romana.engine.createNetwork('n1', { tenant: 'red', segment: 'web' })
  return romana
}

describe("FORWARD's own policy", () => {
  it('is to drop again when somebody lets all pass, and is not touched else', async () => {
    const romana = await startOn('DROP')
    const before = romana.kernel.show()
    romana.kernel.iptablesRestore(4, policyText('ACCEPT'))
    expect(await romana.drivers.network.host.repair(['the policy'])).toBe(
      `# iptables-nft-restore\n${policyText('DROP')}`,
    )
    expect(romana.kernel.show()).toBe(before)
    expect(await romana.drivers.network.host.repair(['anything'])).toBe('')
  })

  it('is left alone where it accepts from the start', async () => {
    const romana = await startOn('ACCEPT')
    expect(romana.kernel.show()).not.toContain('-P FORWARD DROP')
    expect(await romana.drivers.network.host.repair(['anything'])).toBe('')
  })
})
