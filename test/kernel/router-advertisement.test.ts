/** A host whose own way out comes from router advertisements, when it begins to forward; and containers that advertise themselves. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { FORWARDING6, listenToRouters, type Sysctl } from '../../host/host-files.ts'
import { linkSysctls } from '../../host/link-sysctls.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { advertiseRouter } from '../support/router-advertisement.ts'

const namespaces = makeNetnsSet()
afterEach(() => namespaces.removeAll())

/** A host that has got its default route from a router. */
async function makeAdvertised(): Promise<{ readonly host: Netns; advertise(): Promise<string> }> {
  const [host, router] = [await namespaces.make('host'), await namespaces.make('router')]
  await host.ip(`link add name eth0 type veth peer name eth0 netns ${router.name}`, 'link set eth0 up')
  await router.ip('link set eth0 up', 'address add fe80::99/64 dev eth0 nodad')
  const shown = await router.run({ file: 'ip', args: ['-oneline', 'link', 'show', 'eth0'] })
  const advertise = () => router.run(advertiseRouter(Number.parseInt(shown, 10)))
  await expect
    .poll(
      async () => {
        await advertise().catch(() => undefined)
        return defaultRoute(host)
      },
      { timeout: 10_000 },
    )
    .toContain('default via fe80::')
  return { host, advertise }
}

function defaultRoute(host: Netns): Promise<string> {
  return host.run({ file: 'ip', args: ['-6', 'route', 'show', 'default'] })
}

async function write(host: Netns, { path, value }: Sysctl): Promise<void> {
  await host.run({ file: 'sysctl', args: ['-qw', `net/${path}=${value}`] })
}

test('it keeps it, and goes on listening, where the link is told so first', async () => {
  const { host, advertise } = await makeAdvertised()
  await write(host, listenToRouters('eth0', '2'))
  await write(host, FORWARDING6)
  expect(await defaultRoute(host)).toContain('default via fe80::')
  await host.run({ file: 'ip', args: ['-6', 'route', 'flush', 'default'] })
  await advertise()
  await expect.poll(() => defaultRoute(host), { timeout: 5_000 }).toContain('default via fe80::')
})

test('it would lose it otherwise', async () => {
  const { host } = await makeAdvertised()
  await write(host, FORWARDING6)
  expect(await defaultRoute(host)).toBe('')
})

/** A host without rules, as in a gap, and a container on a link of ours. */
async function makeUnprotected(): Promise<{ readonly host: Netns; advertise(): Promise<void> }> {
  const [host, container] = [await namespaces.make('host'), await namespaces.make('container')]
  await host.ip(`link add name rmne1 type veth peer name eth0 netns ${container.name}`)
  await host.ip('link set dev rmne1 addrgenmode none')
  await container.ip('link set eth0 up')
  const shown = await container.run({ file: 'ip', args: ['-oneline', 'link', 'show', 'eth0'] })
  return {
    host,
    async advertise() {
      await host.ip('link set rmne1 up')
      await expect.poll(() => linkLocal(container), { timeout: 10_000 }).toContain('fe80::')
      await container.run(advertiseRouter(Number.parseInt(shown, 10)))
    },
  }
}

/** Its link-local address, once no other can have it. */
function linkLocal({ run }: Netns): Promise<string> {
  return run({ file: 'ip', args: ['-6', 'address', 'show', 'dev', 'eth0', '-tentative'] })
}

test('it takes a container for a router, where neither a rule nor a sysctl keeps it from that', async () => {
  const { host, advertise } = await makeUnprotected()
  await advertise()
  await expect.poll(() => defaultRoute(host), { timeout: 5_000 }).toContain('dev rmne1 proto ra')
})

test('it takes none for a router by a link that has our sysctls, rule or no rule', async () => {
  const { host, advertise } = await makeUnprotected()
  for (const sysctl of linkSysctls('rmne1')) await write(host, sysctl)
  await advertise()
  await sleep(500)
  expect(await host.run({ file: 'ip', args: ['-6', 'route', 'show'] })).not.toMatch(/proto (ra|kernel)/)
})
