/** What leaves the host, as the router outside sees it. */
import { execa } from 'execa'
import { expect, it } from 'vitest'
import type { Lab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { callerIn, callerInContainer, callPorts, servePorts } from '../support/port-world.ts'
import { addressOf, createSegmentNetwork, startIdle, startRomanaHost } from '../support/romana-host.ts'

it('containers leave with the address of their host, which keeps it for itself too', async () => {
  await using romana = await startRomanaHost({ lab: 'outon', release: 'sid' })
  const { lab, host } = romana
  await startIdle(host, 'web-1', await createSegmentNetwork(host, 'blue', 'web'))
  const outside = lab.router.outside.address
  const count = await countAtRouter(lab, host)
  await host.docker(['exec', 'web-1', 'ping', '-c', '1', '-W', '2', outside])
  expect(await count()).toEqual({ ofPlan: 0, ofHost: 1 })
  await host.run('ping', ['-c', '1', '-W', '2', outside])
  expect(await count()).toEqual({ ofPlan: 0, ofHost: 2 })
  await host.run('ping', ['-c', '1', '-W', '2', await addressOf(host, 'web-1')])
  await host.docker(['exec', 'web-1', 'ping', '-c', '1', '-W', '2', host.address])
  expect(await count()).toEqual({ ofPlan: 0, ofHost: 2 })
  await startIdle(host, 'db-1', await createSegmentNetwork(host, 'blue', 'db', '-o', 'nat=false'))
  await lab.router.run('ip', ['route', 'add', '10.1.0.0/16', 'via', host.address])
  await host.docker(['exec', 'db-1', 'ping', '-c', '1', '-W', '2', outside])
  expect(await count()).toEqual({ ofPlan: 1, ofHost: 2 })
  await host.docker(['exec', 'web-1', 'ping', '-c', '1', '-W', '2', outside])
  expect(await count()).toEqual({ ofPlan: 1, ofHost: 3 })
})

it('containers leave with the address that their host chooses for itself, over each family', async () => {
  await using romana = await startRomanaHost({ lab: 'outsrc', release: 'sid' })
  const { lab, host } = romana
  const chosen = [host.address, host.address6].map((address) => address.replace(/11$/, '77'))
  await createSegmentNetwork(host, 'blue', 'web', '--ipv6')
  await startIdle(host, 'web-1', 'blue-web')
  const seen = () => sourcesAtRouter(lab, host, 'web-1')
  expect(await seen()).toEqual([host.address, host.address6])
  for (const [index, address = ''] of chosen.entries()) {
    const [length, nodad] = index === 0 ? ['24', []] : ['64', ['nodad']]
    await host.run('ip', ['address', 'add', `${address}/${length}`, 'dev', 'eth0', ...nodad])
    const gateway = address.replace(/77$/, '1')
    await host.run('ip', ['route', 'replace', 'default', 'via', gateway, 'dev', 'eth0', 'src', address])
  }
  await expect.poll(seen, { timeout: 10_000 }).toEqual(chosen)
})

it('a packet that the kernel can assign to no connection does not leave with a plan address', async () => {
  await using romana = await startRomanaHost({ lab: 'outstray', release: 'sid' })
  const { lab, host } = romana
  await startIdle(host, 'web-1', await createSegmentNetwork(host, 'blue', 'web'))
  await using listener = await listenAtRouter(lab)
  const count = await countAtRouter(lab, host)
  const talk = `(sleep 2; echo more; sleep 1) | netcat -w 5 ${lab.router.outside.address} ${listener.port}`
  const talking = host.docker(['exec', 'web-1', 'sh', '-c', talk], { reject: false })
  await expect.poll(async () => (await count()).ofHost).toBeGreaterThan(1)
  // The kernel shall not take up a connection in its middle, and then forgets this one.
  await host.run('sysctl', ['-qw', 'net.netfilter.nf_conntrack_tcp_loose=0'])
  await host.runInside('conntrack', ['--flush'])
  await talking
  expect((await count()).ofPlan).toBe(0)
  const { stdout } = await host.runInside('iptables', ['-L', 'ROMANA-FORWARD', '-v', '-n', '-x'])
  const [dropped = ''] = stdout.split('\n').filter((line) => / eth0 .* ctstate INVALID$/.test(line.trimEnd()))
  expect(Number.parseInt(dropped, 10)).toBeGreaterThan(0)
})

it('without masquerade containers leave with their own address', async () => {
  await using romana = await startRomanaHost({ lab: 'outoff', release: 'sid' }, { ROMANA_MASQUERADE: 'off' })
  const { lab, host } = romana
  await startIdle(host, 'web-1', await createSegmentNetwork(host, 'blue', 'web'))
  await lab.router.run('ip', ['route', 'add', '10.1.0.0/16', 'via', host.address])
  const count = await countAtRouter(lab, host)
  await host.docker(['exec', 'web-1', 'ping', '-c', '1', '-W', '2', lab.router.outside.address])
  expect(await count()).toEqual({ ofPlan: 1, ofHost: 0 })
  await host.run('ping', ['-c', '1', '-W', '2', lab.router.outside.address])
  expect(await count()).toEqual({ ofPlan: 1, ofHost: 1 })
})

/** Packets to the outside address so far, by where they say they come from. */
async function countAtRouter({ router }: Lab, host: LabHost) {
  for (const source of ['10.0.0.0/8', host.address]) {
    const rule = ['-s', source, '-d', router.outside.address]
    await router.run('iptables', ['-t', 'raw', '-A', 'PREROUTING', ...rule])
  }
  return async () => {
    const { stdout } = await router.run('iptables', ['-t', 'raw', '-L', 'PREROUTING', '-v', '-n', '-x'])
    const [, , ofPlan = '', ofHost = ''] = stdout.split('\n')
    return { ofPlan: Number.parseInt(ofPlan, 10), ofHost: Number.parseInt(ofHost, 10) }
  }
}

/** With which addresses a container's calls arrive outside: IPv4, IPv6. */
async function sourcesAtRouter({ router }: Lab, host: LabHost, container: string): Promise<string[]> {
  await using _serving = await servePorts(callerIn('outside', router.netns), ['tcp:7101'])
  const targets = [router.outside.address, `[${router.outside.address6}]`].map((to) => `tcp:${to}:7101`)
  const answers = await callPorts(await callerInContainer(host, container, container), targets)
  return targets.map((target) => String(answers.get(target)))
}

/** A TCP service outside. */
async function listenAtRouter({ router }: Lab): Promise<AsyncDisposable & { readonly port: number }> {
  const port = 7100
  const inRouter = [`--net=/run/netns/${router.netns}`, 'nc']
  const server = execa('nsenter', [...inRouter, '-l', '-k', String(port)], { reject: false })
  const probe = ['-z', '-w', '1', router.outside.address, String(port)]
  await expect.poll(async () => (await router.run('nc', probe, { reject: false })).exitCode).toBe(0)
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await server
    },
  }
}
