/** Which sysctls are written, and how they are read. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  formatSysctl,
  listenToRouters,
  makeSetSysctl,
  readAdvertisedLinks,
  readForwarding6,
} from '../../host/host-files.ts'
import { readStraySysctls } from '../../host/link-sysctls.ts'
import { openLinuxHost } from '../../host/linux-host.ts'
import { formatHostPlan, planHost } from '../../host/plan-host.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf, WEB, wiringOf } from './host-fixtures.ts'

const resolverFiles = { etc: '/nowhere', run: '/nowhere', mounted: '/nowhere' }

const WANTED = desiredState({
  ...EMPTY_HOST,
  plans: BOTH_PLANS,
  networks: [networkOf('six', 'fd3a:1c55:9e02:1:1:1::/96')],
})

/** A directory such as /proc/sys/net. */
async function makeSysNet(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'romana-sysctls-'))
  onTestFinished(() => rm(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(path, dirname(name)), { recursive: true })
    await writeFile(join(path, name), `${text}\n`)
  }
  return path
}

test('links that listen to routers go on, and are told so before the host forwards', async () => {
  const seen = { ...(await makeFakeKernel().host.observe()), advertisedLinks: ['eth0', 'eth1.5'] }
  expect(formatHostPlan(planHost(WANTED, seen))).toMatch(
    /# sysctl\nnet\.ipv4\.ip_forward = 1\nnet\.ipv6\.conf\.eth0\.accept_ra = 2\nnet\.ipv6\.conf\.eth1\/5\.accept_ra = 2\nnet\.ipv6\.conf\.all\.forwarding = 1\n$/,
  )
})

test('a link that is made gets its sysctls before it is up, and gets them back when somebody changes them', async () => {
  const sysNetPath = await makeSysNet({ 'ipv6/conf/rmne1/accept_ra': '1', 'ipv6/conf/eth0/accept_ra': '1' })
  const lines: string[] = []
  const batch = {
    async run(added: readonly string[]) {
      const accepts = (await readFile(`${sysNetPath}/ipv6/conf/rmne1/accept_ra`, 'utf8')).trim()
      lines.push(...added.map((line) => `${line.split(' ').slice(0, 2).join(' ')}: ${accepts}`))
    },
    close: () => undefined,
  }
  const run = () => Promise.resolve('')
  const setSysctl = makeSetSysctl(sysNetPath)
  const host = openLinuxHost({
    run,
    fastBatch: batch,
    slowBatch: batch,
    iptables: [],
    sysNetPath,
    resolverFiles,
    setSysctl,
  })
  await host.addEndpoint(wiringOf(WEB, endpointOf(WEB, '10.1.17.5', 1)))
  expect(lines.slice(0, 2)).toEqual(['link add: 1', 'link set: 0'])
  expect(await readStraySysctls(sysNetPath, ['rmne1', 'rmne2'])).toEqual([])

  await writeFile(`${sysNetPath}/ipv6/conf/rmne1/accept_ra`, '1\n')
  const straySysctls = await readStraySysctls(sysNetPath, ['rmne1'])
  const seen = {
    ...(await makeFakeKernel().host.observe()),
    forwarding: true,
    forwarding6: true,
    straySysctls,
  }
  const plan = planHost(WANTED, seen)
  expect(plan.sysctls.map(formatSysctl)).toEqual(['net.ipv6.conf.rmne1.accept_ra = 0'])
  await host.apply(plan)
  expect(await readStraySysctls(sysNetPath, ['rmne1'])).toEqual([])
})

test('a host that forwards already is left as it is, and no rule is set for others', async () => {
  const seen = { ...(await makeFakeKernel().host.observe()), forwarding: true, forwarding6: true }
  const plan = planHost(WANTED, { ...seen, advertisedLinks: ['eth0'] })
  expect(plan.sysctls).toEqual([])
  expect(formatHostPlan(plan)).not.toContain(':FORWARD DROP')
})

test('a host that becomes a router for containers does not become one for others', async () => {
  const seen = { ...(await makeFakeKernel().host.observe()), forwarding: true, forwarding6: false }
  const text = planHost(WANTED, seen).restore.map(
    ({ program, text: lines }) => `${program.family}: ${lines.includes(':FORWARD DROP')}`,
  )
  expect(text).toEqual(['4: false', '6: true'])
})

test.each([
  [{ forwarding: '1', disabled: '0' }, true],
  [{ forwarding: '0', disabled: '0' }, false],
  [{ forwarding: '1', disabled: '1' }, undefined],
])('IPv6 of %o is forwarded: %s', async ({ forwarding, disabled }, is) => {
  const path = await makeSysNet({
    'ipv6/conf/all/forwarding': forwarding,
    'ipv6/conf/default/disable_ipv6': disabled,
  })
  expect(await readForwarding6(path)).toBe(is)
})

test('a kernel without IPv6 is told from one that does not forward it', async () => {
  expect(await readForwarding6(await makeSysNet({ 'ipv4/ip_forward': '1' }))).toBeUndefined()
})

test('only links that listen now are told to go on', async () => {
  const path = await makeSysNet({
    'ipv6/conf/eth0/accept_ra': '1',
    'ipv6/conf/eth1/accept_ra': '0',
    'ipv6/conf/eth2/accept_ra': '2',
  })
  expect(await readAdvertisedLinks(path, ['eth0', 'eth1', 'eth2', 'wg0'])).toEqual(['eth0'])
  expect(formatSysctl(listenToRouters('eth0', '2'))).toBe('net.ipv6.conf.eth0.accept_ra = 2')
})
