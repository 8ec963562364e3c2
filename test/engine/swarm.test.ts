/** Services of a swarm on a Romana network, with the commands of docs/networks.md. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { IMAGE, type RomanaHost, startRomanaHost } from '../support/romana-host.ts'

const DRIVER = 'romana-net:latest'

/** The addresses of the service's running containers on the network, sorted. */
async function addressesOf(host: LabHost, service: string, network: string): Promise<string[]> {
  const filter = `label=com.docker.swarm.service.name=${service}`
  const ids = (await host.docker(['ps', '--quiet', '--filter', filter])).stdout.split('\n').filter(Boolean)
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`
  if (ids.length === 0) return []
  return (await host.docker(['inspect', '--format', format, ...ids])).stdout.trim().split('\n').sort()
}

describe.each(['sid', 'bookworm'] as const)('a swarm with the engine of %s', (release) => {
  let lab: RomanaHost
  let host: LabHost
  beforeAll(async () => {
    lab = await startRomanaHost({ lab: `swarm${release}`.slice(0, 10), release })
    host = lab.host
    const pool = ['--default-addr-pool', '172.31.0.0/16']
    await host.docker(['swarm', 'init', '--advertise-addr', host.address, ...pool])
  })
  afterAll(() => lab?.lab.stop())

  it('runs a service on a network of a tenant', async () => {
    const options = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web']
    const config = ['--config-only', '--ipam-driver', DRIVER, ...options, 'blue-web-config']
    await host.docker(['network', 'create', ...config])
    const from = ['--scope', 'swarm', '--config-from', 'blue-web-config', '--attachable', 'blue-web']
    await host.docker(['network', 'create', '-d', DRIVER, ...from])
    const service = ['--name', 'web', '--replicas', '2', '--endpoint-mode', 'dnsrr', '--network', 'blue-web']
    await host.docker(['service', 'create', '--detach', ...service, IMAGE, 'sleep', '100000'])
    const addresses = () => addressesOf(host, 'web', 'blue-web')
    await expect.poll(addresses, { timeout: 60_000, interval: 1_000 }).toEqual(['10.1.17.2', '10.1.17.3'])
  })

  it('lets a container find the service by its name, and reach it', async () => {
    const ping = ['run', '--rm', '--network', 'blue-web', IMAGE, 'ping', '-c', '1', 'web']
    expect((await host.docker(ping)).stdout).toContain('1 packets received')
  })

  it('has nothing left when service and network are removed', async () => {
    await host.docker(['service', 'rm', 'web'])
    await expect
      .poll(() => addressesOf(host, 'web', 'blue-web'), { timeout: 60_000, interval: 1_000 })
      .toEqual([])
    await host.docker(['network', 'rm', 'blue-web'])
    // The node drops the network some moments after the manager.
    const removeConfig = async () =>
      (await host.docker(['network', 'rm', 'blue-web-config'], { reject: false })).exitCode
    await expect.poll(removeConfig, { timeout: 30_000, interval: 1_000 }).toBe(0)
    await expect
      .poll(
        async () => (await host.run('ip', ['route', 'show', 'table', '8200'], { reject: false })).stdout,
        {
          timeout: 20_000,
        },
      )
      .toBe('')
  })
})
