import { describe, expect, it } from 'vitest'
import { startRomana } from './romana-steps.ts'

describe('the repair of a host', () => {
  it('puts back what is missing and gives its plan; the next one finds nothing to do', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
    const before = romana.kernel.show()
    romana.kernel.ip('rule delete to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82')
    romana.kernel.iptablesRestore(4, '*filter\n:ROMANA-HOST - [0:0]\nCOMMIT\n')
    const plan = await romana.drivers.network.host.repair(['the policy rule'])
    expect(plan).toContain(':ROMANA-HOST - [0:0]\n')
    expect(plan).toContain('rule add to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82\n')
    expect(romana.plans.at(-1)).toBe(plan)
    expect(romana.kernel.show()).toBe(before)
    expect(await romana.drivers.network.host.repair(['the policy rule'])).toBe('')
    expect(await romana.drivers.network.host.repair([])).toBe('')
  })

  it('sets a link of a container up again, and what the kernel took with it', async () => {
    const romana = await startRomana()
    const network = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
    await romana.engine.run('e1', network)
    const before = romana.kernel.show()
    romana.kernel.ip('link set dev rmne1 down')
    expect(await romana.drivers.network.host.repair(['rmne1'])).toBe(
      '# ip -batch\nlink set dev rmne1 up\nroute add 10.1.17.2/32 dev rmne1 table 8200 protocol 82\n',
    )
    expect(romana.kernel.show()).toBe(before)
  })

  it('needs nobody to notice', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
    romana.kernel.setForwarding(false)
    expect(await romana.drivers.network.host.repair([])).toContain('net.ipv4.ip_forward = 1')
  })

  it('changes nothing on a host without networks', async () => {
    const romana = await startRomana()
    romana.kernel.ip('link add name eth0 mtu 1500 type dummy')
    expect(await romana.drivers.network.host.repair(['eth0'])).toBe('')
  })
})
