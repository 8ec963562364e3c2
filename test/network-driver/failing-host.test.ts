import { describe, expect, it } from 'vitest'
import type { Host } from '../../host/linux-host.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { showEndpoints, startRomana, takenIn } from './romana-steps.ts'

const NAMES = { NetworkID: 'n1', EndpointID: 'e1', SandboxKey: '/var/run/docker/netns/c1' }

/** An endpoint e1 with the address 10.1.17.2, not joined. */
async function startWithEndpoint() {
  const romana = await startRomana()
  const { poolId } = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
  await romana.call('IpamDriver.RequestAddress', { PoolID: poolId, Address: '', Options: null })
  await romana.call('NetworkDriver.CreateEndpoint', { ...NAMES, Interface: { Address: '10.1.17.2/32' } })
  const remove = async () => {
    await romana.call('NetworkDriver.Leave', NAMES)
    await romana.call('NetworkDriver.DeleteEndpoint', NAMES)
    await romana.call('IpamDriver.ReleaseAddress', { PoolID: poolId, Address: '10.1.17.2' })
  }
  return { ...romana, remove }
}

const LINES = [
  'link add name rmne1',
  'link set dev rmne1',
  'address add 10.1.17.1/32',
  'route add 10.1.17.2/32',
]

describe('a Join whose host fails', () => {
  it.each(LINES.map((line, after) => [line, after] as const))(
    'at "%s" says so, and leaves nothing in the kernel',
    async (line, after) => {
      const romana = await startWithEndpoint()
      romana.kernel.failNext('ip', after)
      await expect(romana.call('NetworkDriver.Join', NAMES)).rejects.toThrow(
        new RegExp(`^Cannot run "ip ${line}.*": RTNETLINK answers: Operation not permitted \\(E_COMMAND\\)$`),
      )
      expect(showEndpoints(romana)).toBe('')
      await romana.remove()
      expect(await takenIn(romana)).toBe('')
    },
  )

  it('can be repeated', async () => {
    const romana = await startWithEndpoint()
    romana.kernel.failNext('ip', 2)
    await expect(romana.call('NetworkDriver.Join', NAMES)).rejects.toThrow('(E_COMMAND)')
    await romana.call('NetworkDriver.Join', NAMES)
    expect(showEndpoints(romana).split('\n')).toHaveLength(4)
  })

  it('because somebody else has the route leaves that one alone', async () => {
    const romana = await startWithEndpoint()
    romana.kernel.ip(
      'link add name x0 mtu 1500 type dummy',
      'link set dev x0 up',
      'route add 10.1.17.2/32 dev x0 table 8200 protocol 82',
    )
    await expect(romana.call('NetworkDriver.Join', NAMES)).rejects.toThrow('File exists (E_COMMAND)')
    expect(romana.kernel.show()).toContain('route 10.1.17.2/32 dev x0 table 8200 protocol 82')
    expect(showEndpoints(romana)).toBe('')
  })

  it('does not hold up another endpoint', async () => {
    const romana = await startWithEndpoint()
    const network = {
      id: 'n1',
      poolId: '10.1.17.0/24,blue,web',
      pool: '10.1.17.0/24',
      gateway: '10.1.17.1/24',
    }
    romana.kernel.failNext('ip')
    const joined = romana.call('NetworkDriver.Join', NAMES)
    const other = romana.engine.run('e2', network)
    await expect(joined).rejects.toThrow('(E_COMMAND)')
    expect((await other).address).toBe('10.1.17.3')
  })
})

describe('a DeleteEndpoint whose host fails', () => {
  it('keeps the records, so that it can be repeated', async () => {
    const romana = await startWithEndpoint()
    await romana.call('NetworkDriver.Join', NAMES)
    romana.kernel.failNext('ip')
    await expect(romana.call('NetworkDriver.DeleteEndpoint', NAMES)).rejects.toThrow(
      'Cannot run "ip link delete dev rmne1": RTNETLINK answers: Operation not permitted (E_COMMAND)',
    )
    expect(await takenIn(romana)).toBe('10.1.17.2 endpoint e1; /endpoints/e1')
    await romana.remove()
    expect(showEndpoints(romana)).toBe('')
    expect(await takenIn(romana)).toBe('')
  })
})

describe('a network whose host fails', () => {
  it.each([
    ['observe', 'Cannot run "ip -json link show": Operation not permitted (E_COMMAND)'],
    ['iptables-restore', 'Another app is currently holding the xtables lock (E_COMMAND)'],
    ['ip', 'RTNETLINK answers: Operation not permitted'],
  ] as const)('at %s says so, and leaves neither record nor footprint', async (program, message) => {
    const romana = await startRomana()
    const { poolId } = await romana.engine.createNetwork('n0', { tenant: 'blue' })
    await romana.engine.removeNetwork({ id: 'n0', poolId, pool: '10.1.17.0/24', gateway: '10.1.17.1/24' })
    const before = romana.kernel.show()
    const made = romana.engine.createNetwork('n1', { tenant: 'blue' })
    // The first look is that of RequestPool.
    romana.kernel.failNext(program, program === 'observe' ? 1 : 0)
    await expect(made).rejects.toThrow(message)
    expect(await keysOf(romana.journal)).toBe('')
    expect(romana.kernel.show()).toBe(before)
  })

  it('is made though a container dies between the look at the host and its change', async () => {
    const kernel = makeFakeKernel()
    let beforeApply = () => {}
    const host: Host = {
      ...kernel.host,
      apply(plan) {
        beforeApply()
        beforeApply = () => {}
        return kernel.host.apply(plan)
      },
    }
    const romana = await startRomana({ kernel, host })
    const network = await romana.engine.createNetwork('n1', { tenant: 'blue' })
    const { link } = await romana.engine.run('e1', network)
    kernel.ip('route delete 10.1.17.2/32 dev rmne1 table 8200 protocol 82')
    beforeApply = () => kernel.killContainer(link)
    await romana.engine.createNetwork('n2', { tenant: 'blue' })
    expect(showEndpoints(romana)).toBe('')
    expect(await keysOf(romana.journal, '/networks/')).toBe('/networks/n1 /networks/n2')
  })

  it('is made when it is tried again', async () => {
    const romana = await startRomana()
    romana.kernel.failNext('iptables-restore', 1)
    await expect(romana.engine.createNetwork('n1', { tenant: 'blue' })).rejects.toThrow('(E_COMMAND)')
    const network = await romana.engine.createNetwork('n2', { tenant: 'blue' })
    const endpoint = await romana.engine.run('e1', network)
    expect(endpoint.address).toBe('10.1.17.2')
    await romana.engine.stop(endpoint)
    await romana.engine.removeNetwork(network)
    expect(romana.kernel.show()).toMatch(/^(iptables -t filter -P FORWARD DROP\nnet\.ipv4\.ip_forward = 1)?$/)
  })
})
