import { describe, expect, test } from 'vitest'
import type { PolicyRecord } from '../../store/policy-records.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import type { OraclePolicy } from '../support/policy-oracle.ts'
import { recordsOf } from '../support/policy-world.ts'
import { type Romana, startRomana } from './romana-steps.ts'

const DENY: OraclePolicy = {
  name: 'deny',
  direction: 'ingress',
  appliesTo: [{ tenant: 'red', segment: 'db' }],
  default: 'deny',
}
/** Two flows within segment db, by two ports, and one of another segment. */
const FLOWS = [
  'tcp      6 431999 ESTABLISHED src=10.1.18.2 dst=10.1.18.3 sport=40000 dport=80 src=10.1.18.3 dst=10.1.18.2 sport=80 dport=40000 [ASSURED] mark=0 use=1',
  'tcp      6 431999 ESTABLISHED src=10.1.18.2 dst=10.1.18.3 sport=40001 dport=443 src=10.1.18.3 dst=10.1.18.2 sport=443 dport=40001 [ASSURED] mark=0 use=1',
  'udp      17 29 src=10.1.17.2 dst=10.1.17.3 sport=40000 dport=80 src=10.1.17.3 dst=10.1.17.2 sport=80 dport=40000 mark=0 use=1',
]

/** From one segment to another. */
const STRAY =
  'tcp      6 431999 ESTABLISHED src=10.1.17.2 dst=10.1.33.3 sport=40000 dport=80 src=10.1.33.3 dst=10.1.17.2 sport=80 dport=40000 [ASSURED] mark=0 use=1'

async function startWithFlows(wish = {}): Promise<Romana> {
  const romana = await startRomana(wish)
  await romana.engine.createNetwork('n1', { tenant: 'red', segment: 'web' })
  romana.kernel.flows.push(...FLOWS)
  return romana
}

function policyChains({ kernel }: Romana): string {
  const lines = kernel.show().split('\n')
  return lines
    .filter((line) => line.includes('-A ROMANA-IN'))
    .map((line) => line.slice(line.indexOf('-A')))
    .join('\n')
}

/** As the plugin does it: flows behind the rules. Gives how many are cut. */
async function setAndCut(
  { drivers: { network } }: Romana,
  policies: readonly PolicyRecord[],
): Promise<number> {
  await network.host.setPolicies(policies)
  return await network.host.cutStrays()
}

describe('policies of the cluster', () => {
  test('come into the journal and the rules, and cut the flows that they forbid', async () => {
    const romana = await startWithFlows()
    const before = romana.kernel.show()
    const allow: OraclePolicy = {
      ...DENY,
      peers: [{ tenant: 'red' }],
      rules: [{ protocol: 'tcp', ports: [443] }],
    }
    expect(await setAndCut(romana, recordsOf([allow]))).toBe(1)
    expect(await keysOf(romana.journal, '/policies/')).toBe('/policies/deny')
    expect(policyChains(romana)).toContain(
      '-A ROMANA-IN-1-2 -s 10.0.16.0/255.0.240.0 -p tcp -m tcp --dport 443 -g ROMANA-PERMITTED',
    )
    expect(romana.kernel.flows).toEqual(FLOWS.slice(1))
    expect(await setAndCut(romana, recordsOf([DENY]))).toBe(1)
    expect(romana.kernel.flows).toEqual(FLOWS.slice(2))
    await romana.drivers.network.host.setPolicies([])
    expect(romana.kernel.show()).toBe(before)
    expect(await keysOf(romana.journal, '/policies/')).toBe('')
  })

  test('stand after a restart without the directory', async () => {
    const romana = await startWithFlows()
    await romana.drivers.network.host.setPolicies(recordsOf([DENY]))
    const rules = policyChains(romana)
    expect(rules).not.toBe('')
    const again = await startRomana(romana)
    expect(policyChains(again)).toBe(rules)
  })

  test('that could not be carried out are by the next call, and so are their flows', async () => {
    const romana = await startWithFlows()
    romana.kernel.failNext('iptables-restore')
    await expect(romana.drivers.network.host.setPolicies(recordsOf([DENY]))).rejects.toThrow('xtables lock')
    expect(await setAndCut(romana, recordsOf([DENY]))).toBe(2)
    expect(policyChains(romana)).toContain('-A ROMANA-IN-1-2 -j DROP')
    expect(romana.kernel.flows).toEqual(FLOWS.slice(2))
  })

  test('cut what began while rules were missing, once they are back', async () => {
    const romana = await startWithFlows()
    await setAndCut(romana, recordsOf([DENY]))
    const { network } = romana.drivers
    romana.kernel.flows.push(...FLOWS, STRAY)
    await network.host.repair(['nothing that matters'])
    expect(await network.host.cutStrays()).toBe(0)
    romana.kernel.iptablesRestore(4, '*filter\n:ROMANA-FORWARD - [0:0]\nCOMMIT\n')
    expect(await network.host.repair(['a flush'])).toContain(':ROMANA-FORWARD')
    expect(await network.host.cutStrays()).toBe(3)
    expect(romana.kernel.flows).toEqual([FLOWS[2], FLOWS[2]])
  })

  test('cut what a container of an internal network asks the host for names', async () => {
    const romana = await startWithFlows()
    const network = await romana.engine.createNetwork('vault', {
      tenant: 'red',
      segment: 'vault',
      internal: true,
    })
    const { address } = await romana.engine.run('e1', network)
    const to = '10.1.18.1'
    romana.kernel.flows.push(
      `udp      17 29 src=${address} dst=${to} sport=40000 dport=53 src=${to} dst=${address} sport=53 dport=40000 mark=0 use=1`,
    )
    await setAndCut(romana, recordsOf([{ ...DENY, appliesTo: [{ tenant: 'red', segment: 'vault' }] }]))
    expect(romana.kernel.flows).toEqual(FLOWS)
  })

  test('are not looked at twice', async () => {
    const romana = await startWithFlows()
    await setAndCut(romana, recordsOf([DENY]))
    romana.kernel.flows.push(...FLOWS)
    expect(await setAndCut(romana, recordsOf([DENY]))).toBe(0)
  })
})
