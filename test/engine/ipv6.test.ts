/** Dual-stack networks on Docker 20.10 and 28 or newer, and networks with IPv6 alone on the latter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { routerBeside } from '../support/port-table.ts'
import { callerIn, callerInContainer, callPorts, servePorts } from '../support/port-world.ts'
import { byIpv6, expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { createNetwork, PLUGIN, type RomanaHost, startIdle, startRomanaHost } from '../support/romana-host.ts'
import { advertiseRouter } from '../support/router-advertisement.ts'

const PLAN6 = 'fd3a:1c55:9e02::/48 16/16/16/32'

const ENGINES = [
  { release: 'sid', hasIpv6Only: true },
  { release: 'bookworm', hasIpv6Only: false },
] as const

describe.each(ENGINES)('IPv6 on the engine of Debian $release', ({ release, hasIpv6Only }) => {
  let romana: RomanaHost
  let host: LabHost
  const both: Member[] = []
  const ipv6: Member[] = []

  beforeAll(async () => {
    romana = await startRomanaHost({ lab: hasIpv6Only ? 'six' : 'sixold', release }, { ROMANA_PLAN6: PLAN6 })
    host = romana.host
    for (const segment of ['web', 'db']) {
      const options = ['--ipam-opt', 'tenant=blue', '--ipam-opt', `segment=${segment}`]
      await createNetwork(host, segment, '--ipv6', ...options)
      for (const number of [1, 2]) both.push(await startMember(host, `${segment}-${number}`, segment))
      if (!hasIpv6Only) continue
      await createNetwork(host, `${segment}6`, '--ipv6', '--ipv4=false', ...options)
      ipv6.push(await byIpv6(await startMember(host, `${segment}-6`, `${segment}6`)))
    }
    for (const member of both) ipv6.push(await byIpv6(member))
  })
  afterAll(() => romana?.lab.stop())

  /** "web-1" and "web-6" are in one segment. */
  const inOneSegment = (a: string, b: string) => a.split('-')[0] === b.split('-')[0]
  const shell = (name: string, script: string) =>
    host.docker(['exec', name, 'sh', '-c', script], { reject: false })

  it('addresses say host, tenant, segment and endpoint', () => {
    const address = ipv6.find(({ name }) => name === 'web-1')?.address
    expect(address).toBe('fd3a:1c55:9e02:1:1:1:0:2')
  })

  it('every container reaches exactly its segment, over IPv6 and over IPv4', async () => {
    expect(await reachability(ipv6)).toBe(expectedReachability(ipv6, inOneSegment))
    expect(await reachability(both)).toBe(expectedReachability(both, inOneSegment))
  })

  it('containers reach the outside, and of the host its echo alone', async () => {
    const { outside } = romana.lab.router
    for (const { name } of ipv6)
      expect((await shell(name, `ping -6 -c 1 -W 2 ${outside.address6}`)).exitCode).toBe(0)
    const gateway = 'fd3a:1c55:9e02:1:1:1:0:1'
    expect((await shell('web-1', `ping -6 -c 1 -W 2 ${gateway}`)).exitCode).toBe(0)
    for (const address of [gateway, host.address6, 'fe80::1%eth0'])
      expect((await shell('web-1', `netcat -6 -z -w 1 ${address} 22`)).exitCode).toBe(1)
  })

  it('a forged source gets no packet through', async () => {
    const victim = ipv6.find(({ name }) => name === 'db-2')
    await startMember(host, 'forger', 'web', '--cap-add', 'NET_ADMIN')
    const forged = 'fd3a:1c55:9e02:1:1:2:0:77'
    await shell('forger', `ip -6 address add ${forged}/128 dev lo`)
    await shell('forger', `echo forged | timeout 2 netcat -6 -u -w 1 -s ${forged} ${victim?.address} 7001`)
    expect((await shell('db-2', 'cat /tmp/udp6')).stdout).not.toContain('forged')
    await host.docker(['rm', '-f', 'forger'])
  })

  it('a router advertisement of a container changes no route of the host', async () => {
    const routes = async () => (await host.run('ip', ['-6', 'route', 'show', 'table', 'all'])).stdout
    const before = await routes()
    const pid = (await host.docker(['inspect', '--format', '{{.State.Pid}}', 'web-1'])).stdout.trim()
    const { file, args } = advertiseRouter(2)
    await host.runInside('nsenter', ['-t', pid, '-n', file, ...args], { reject: false })
    expect(await routes()).toBe(before)
  })

  it('no link of a container listens to routers, rules or no rules', async () => {
    const { stdout } = await host.run('sh', ['-c', 'cat /proc/sys/net/ipv6/conf/rmn*/accept_ra'])
    expect([...new Set(stdout.split('\n'))]).toEqual(['0'])
  })

  it('what others take away comes back', async () => {
    await host.run('ip', ['-6', 'route', 'flush', 'table', '8200'])
    await host.run('ip', ['-6', 'rule', 'delete', 'priority', '8200'])
    await host.runInside('ip6tables', ['-F'])
    await expect
      .poll(() => reachability(ipv6), { timeout: 20_000 })
      .toBe(expectedReachability(ipv6, inOneSegment))
  })

  it('containers go on while the plugin is away, and the plugin knows them afterwards', async () => {
    await host.docker(['plugin', 'disable', '-f', PLUGIN])
    expect(await reachability(ipv6)).toBe(expectedReachability(ipv6, inOneSegment))
    await host.docker(['plugin', 'enable', PLUGIN])
    const member = await byIpv6(await startMember(host, 'web-3', 'web'))
    expect(ipv6.map(({ address }) => address)).not.toContain(member.address)
    const all = [...ipv6, member]
    expect(await reachability(all)).toBe(expectedReachability(all, inOneSegment))
  })

  if (hasIpv6Only)
    it('a container with IPv6 alone publishes its ports, on 127.0.0.1 too', async () => {
      await startIdle(host, 'six', 'web6', '-p', '8080:80', '-p', '127.0.0.1:8081:80')
      await using _serving = await servePorts(await callerInContainer(host, 'six', 'six'), ['tcp:80'])
      const seen = async (netns: string, target: string) =>
        (await callPorts(callerIn('caller', netns), [target])).get(target)
      const router = routerBeside(host.address6)
      expect(await seen(romana.lab.router.netns, `tcp:[${host.address6}]:8080`)).toBe(router)
      expect(await seen(host.netns, 'tcp:127.0.0.1:8081')).toBe('fd3a:1c55:9e02:1:1:1:0:1')
      await host.docker(['rm', '-f', 'six'])
    })

  it('subnets of both families and --ip6 are honoured', async () => {
    const subnets = ['--subnet', '10.1.33.0/24', '--subnet', 'fd3a:1c55:9e02:1:2:1::/96']
    await createNetwork(host, 'own', '--ipv6', ...subnets, '--ipam-opt', 'tenant=own')
    const wanted = 'fd3a:1c55:9e02:1:2:1:0:beef'
    expect((await byIpv6(await startMember(host, 'own-1', 'own', '--ip6', wanted))).address).toBe(wanted)
    await host.docker(['rm', '-f', 'own-1'])
    await host.docker(['network', 'rm', 'own'])
  })

  it('a network without options has one segment for both', async () => {
    await createNetwork(host, 'plain', '--ipv6')
    const { stdout } = await host.docker(['network', 'inspect', '--format', '{{json .IPAM.Config}}', 'plain'])
    expect(stdout).toMatch(/10\.1\.(\d+)\.0\/24.*fd3a:1c55:9e02:1:/)
    const { address } = await byIpv6(await startMember(host, 'plain-1', 'plain'))
    expect(address).toMatch(/^fd3a:1c55:9e02:1:/)
    await host.docker(['rm', '-f', 'plain-1'])
    await host.docker(['network', 'rm', 'plain'])
  })

  it('nothing of IPv6 is left when the networks have gone', async () => {
    const { stdout } = await host.docker(['ps', '--all', '--quiet'])
    await host.docker(['rm', '-f', ...stdout.trim().split('\n')])
    const networks = ['web', 'db', ...(hasIpv6Only ? ['web6', 'db6'] : [])]
    await host.docker(['network', 'rm', ...networks])
    const left = await Promise.all([
      host.run('ip', ['-6', 'route', 'show', 'table', 'all']),
      host.run('ip', ['-6', 'rule', 'show']),
      host.runInside('ip6tables-save', []),
    ])
    expect(left.map((each) => each.stdout).join('\n')).not.toMatch(/fd3a:|8200|ROMANA/)
  })
})
