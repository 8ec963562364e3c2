import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { DB, VAULT, WEB, wantedOf } from './host-fixtures.ts'
import { bringTo, hostWithTwoEndpoints, makeLivedInKernel, WEB_1, WEB_2 } from './lived-in-kernel.ts'

const NOTHING = wantedOf([])

function golden(name: string): string {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')
}

describe('the plan of', () => {
  test('the first network of an empty host is the whole footprint', async () => {
    const kernel = makeFakeKernel()
    expect(await bringTo(wantedOf([WEB]), kernel)).toBe(golden('first-network.plan'))
  })

  test('a host as wanted is empty', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    const before = kernel.show()
    expect(await bringTo(wanted, kernel)).toBe('')
    expect(kernel.show()).toBe(before)
  })

  test('a further network is empty: routes and rules are the same for all', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    expect(await bringTo(wantedOf([WEB, DB, VAULT], [WEB_1, WEB_2]), kernel)).toBe('')
  })

  test('the last network takes away all that is ours', async () => {
    const kernel = makeLivedInKernel()
    await bringTo(wantedOf([WEB]), kernel)
    expect(await bringTo(NOTHING, kernel)).toBe(golden('last-network.plan'))
  })

  test('a host with nothing of ours and no network is empty', async () => {
    expect(await bringTo(NOTHING, makeLivedInKernel())).toBe('')
  })

  test('another uplink refills the one chain that names it', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    const seen = await kernel.host.observe()
    expect(seen.defaultLinks.join(' ')).toBe('eth0')
    const elsewhere = wantedOf([WEB], [WEB_1, WEB_2], ['wan0', 'wan1'])
    expect(changedLines(await bringTo(elsewhere, kernel))).toBe(
      [...wayOut('wan0'), ...wayOut('wan1')].join('\n'),
    )
    expect(changedLines(await bringTo(wanted, kernel))).toBe(wayOut('eth0').join('\n'))
  })
})

function wayOut(uplink: string): string[] {
  const out = `-s 10.0.0.0/8 -o ${uplink}`
  return [`${out} -m conntrack --ctstate INVALID -j DROP`, `${out} -j ACCEPT`]
}

/** What the plan says of uplinks, after a check that it changes ROMANA-FORWARD alone. */
function changedLines(plan: string): string {
  const lines = plan.split('\n')
  expect(lines.filter((line) => /^[*:]|^-[DIX]/.test(line)).join(' ')).toBe('*filter :ROMANA-FORWARD - [0:0]')
  return lines
    .filter((line) => / -o (?!rmn)/.test(line))
    .map((line) => line.replace('-A ROMANA-FORWARD ', ''))
    .join('\n')
}

describe('what others have', () => {
  test('is the same before the first network and after the last one', async () => {
    const kernel = makeLivedInKernel()
    const before = kernel.show()
    await bringTo(wantedOf([WEB]), kernel)
    expect(kernel.show()).not.toBe(before)
    await bringTo(NOTHING, kernel)
    expect(kernel.show()).toBe(before)
  })

  test('stays while Romana is there', async () => {
    const untouched = makeLivedInKernel().show().split('\n')
    const { kernel } = await hostWithTwoEndpoints()
    const lines = new Set(kernel.show().split('\n'))
    expect(untouched.filter((line) => !lines.has(line)).join('\n')).toBe('')
  })

  test('is not touched though it was put into our table of routes', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    kernel.ip('route add 10.7.0.0/16 dev eth0 table 8200 protocol 3')
    expect(await bringTo(wanted, kernel)).toBe('')
  })
})

describe('an endpoint whose link is gone', () => {
  test('asks for nothing: the kernel took its address and route', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    kernel.killContainer('rmp1')
    expect(await bringTo(wanted, kernel)).toBe('')
    expect(kernel.show()).not.toContain('rmne1')
  })
})

describe('forwarding', () => {
  test('that we switch on closes FORWARD behind us, once', async () => {
    const kernel = makeLivedInKernel()
    kernel.setForwarding(false)
    const first = await bringTo(wantedOf([WEB]), kernel)
    expect(first.match(/^:FORWARD DROP \[0:0\]$/gm)).toHaveLength(1)
    expect(first).toContain('# sysctl\nnet.ipv4.ip_forward = 1\n')
    expect(kernel.show()).toContain('net.ipv4.ip_forward = 1')
    expect(await bringTo(wantedOf([WEB]), kernel)).toBe('')
  })

  test('that was on already leaves the policy of FORWARD to others', async () => {
    expect(await bringTo(wantedOf([WEB]), makeLivedInKernel())).not.toContain('FORWARD DROP')
  })

  test('that somebody switched off goes on again, and FORWARD is closed though our rules are all there', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    kernel.setForwarding(false)
    expect(await bringTo(wanted, kernel)).toBe(
      '# iptables-nft-restore\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n# sysctl\nnet.ipv4.ip_forward = 1\n',
    )
  })

  test('is never closed for IPv6, which we do not forward', async () => {
    const kernel = makeFakeKernel()
    await bringTo(wantedOf([WEB]), kernel)
    expect(kernel.show()).not.toContain('ip6tables -t filter')
  })

  test('stays on behind the last network: others may have come to need it', async () => {
    const kernel = makeFakeKernel()
    await bringTo(wantedOf([WEB]), kernel)
    await bringTo(NOTHING, kernel)
    expect(kernel.show()).toBe('iptables -t filter -P FORWARD DROP\nnet.ipv4.ip_forward = 1')
  })
})
