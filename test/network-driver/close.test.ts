import { describe, expect, it } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { startRomana } from './romana-steps.ts'

const CLUSTER = { storeAddresses: [{ address: Ip.parse('198.18.1.21'), port: 2379 }] }
const DEAF = 'iptables -t raw -A ROMANA-PREROUTING -s 10.0.0.0/8 -j DROP'

describe('a plugin that ends, on a host of a cluster', () => {
  it('takes away what kept containers of other hosts out, where no network is', async () => {
    const { kernel, drivers } = await startRomana(CLUSTER)
    expect(kernel.show()).toContain(DEAF)
    await drivers.network.host.close()
    expect(kernel.show()).not.toContain('ROMANA')
    expect(await drivers.network.host.repair(['its own rules'])).toBe('')
  })

  it('leaves everything as it is where a network is', async () => {
    const { kernel, drivers, engine } = await startRomana(CLUSTER)
    await engine.createNetwork('n1')
    const before = kernel.show()
    expect(before).not.toContain(DEAF)
    await drivers.network.host.close()
    expect(kernel.show()).toBe(before)
  })
})
