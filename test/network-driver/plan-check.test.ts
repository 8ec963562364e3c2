import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, it, onTestFinished } from 'vitest'
import { observeHost } from '../../host/observe.ts'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { startRomana } from './romana-steps.ts'

/** A host whose /etc and /run have these files; of all else it has nothing. */
async function hostWith(files: Readonly<Record<string, string>>) {
  const root = await mkdtemp(`${tmpdir()}/romana-plan-check-`)
  onTestFinished(() => rm(root, { recursive: true }))
  for (const directory of ['etc', 'run/systemd/resolve', 'sys/ipv4'])
    await mkdir(`${root}/${directory}`, { recursive: true })
  for (const [path, text] of Object.entries(files)) await writeFile(`${root}/${path}`, text)
  const parts = {
    run: () => Promise.resolve(''),
    iptables: [],
    sysNetPath: `${root}/sys`,
    resolverFiles: { etc: `${root}/etc`, run: `${root}/run`, mounted: `${root}/none` },
  }
  await writeFile(`${root}/sys/ipv4/ip_forward`, '1\n')
  return { ...makeFakeKernel().host, observe: () => observeHost(parts) }
}

it('a pool is refused while systemd-resolved asks a nameserver inside the plan: the engine would ask for pools without end', async () => {
  const host = await hostWith({
    'etc/resolv.conf': 'nameserver 127.0.0.53\n',
    'run/systemd/resolve/resolv.conf': 'nameserver 10.255.255.53\n',
  })
  const { call } = await startRomana({ host })
  await expect(call('IpamDriver.RequestPool', { AddressSpace: 'RomanaLocal' })).rejects.toThrow(
    'Cannot use the address plan "10.0.0.0/8 8/4/4/8": this host uses some of its addresses otherwise: ' +
      'nameserver 10.255.255.53 in /run/systemd/resolve/resolv.conf. A plan that is free here: ' +
      'disable the plugin and set ROMANA_PLAN="10.0.0.0/9 7/4/4/8" (E_PLAN_OVERLAP)',
  )
})

it('a pool is given out whatever stands in resolv.conf that is no address', async () => {
  const host = await hostWith({ 'etc/resolv.conf': 'nameserver 10.1\nnameserver none\n' })
  const { call } = await startRomana({ host })
  expect(await call('IpamDriver.RequestPool', { AddressSpace: 'RomanaLocal' })).toMatchObject({
    Pool: '10.1.17.0/24',
  })
})
