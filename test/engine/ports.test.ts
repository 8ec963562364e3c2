/** Published ports in every form, as those who call them see it, with Romana and with Docker's bridge. */
import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { portTable, SECOND, SECOND6 } from '../support/port-table.ts'
import { createSegmentNetwork, type RomanaHost, startIdle, startRomanaHost } from '../support/romana-host.ts'

function golden(driver: string): string {
  return readFileSync(new URL(`../golden/published-ports-${driver}.table`, import.meta.url), 'utf8').trimEnd()
}

describe.each([
  ['portss', 'sid', 'nft'],
  ['portsb', 'bookworm', 'nft'],
  ['portsl', 'bookworm', 'legacy'],
] as const)('lab %s: Docker of Debian %s, iptables %s', (lab, release, iptables) => {
  let romana: RomanaHost
  let host: LabHost

  beforeAll(async () => {
    romana = await startRomanaHost({ lab, release, iptables, engineArgs: [] })
    host = romana.host
    await host.run('ip', ['address', 'add', `${SECOND}/24`, 'dev', 'eth0'])
    await host.run('ip', ['address', 'add', `${SECOND6}/64`, 'dev', 'eth0', 'nodad'])
    for (const segment of ['web', 'db']) await createSegmentNetwork(host, 'blue', segment, '--ipv6')
  })
  afterAll(() => romana?.lab.stop())

  it('Romana: everybody but the container itself is seen with an address of their own', async () => {
    const table = await portTable(romana.lab, host, { own: 'blue-web', other: 'blue-db' })
    expect(table).toBe(golden('romana'))
  })

  it('the rules are as they were planned: there is nothing to repair', async () => {
    const addresses = [SECOND, `[${SECOND6}]`, '127.0.0.1', '[::1]'].map((address) => `${address}:8002:80`)
    const forms = ['8001:80', ...addresses, '8003:53/udp', '8004:1/sctp']
    await startIdle(host, 'server', 'blue-web', ...forms.flatMap((form) => ['-p', form]))
    await host.docker(['network', 'connect', 'blue-db', 'server'])
    const socket = host.rootPath('/run/romana/admin.sock')
    const { stdout } = await execa('node', ['dist/romana.js', 'plan', '--json', '--socket', socket])
    expect(JSON.parse(stdout)).toEqual({ plan: '' })
    await host.docker(['rm', '-f', 'server'])
  })

  // 20.10's own driver leaves containers without an answer from a UDP port of their host.
  if (release === 'sid')
    it('bridge: the same ports are reached, by containers as the gateway', async () => {
      for (const [index, name] of ['one', 'two'].entries())
        await host.docker(['network', 'create', '--ipv6', '--subnet', `fd00:${index}::/64`, name])
      expect(await portTable(romana.lab, host, { own: 'one', other: 'two' })).toBe(golden('bridge'))
    })
})
