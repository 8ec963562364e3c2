import { describe, expect, it } from 'vitest'
import { REST_MS } from '../../ipam-driver/addresses.ts'
import type { NetworkOptions } from '../contract/docker-engine.ts'
import { mirrorHost, startRomana, takenIn } from './romana-steps.ts'

const WEB: NetworkOptions = { tenant: 'blue', segment: 'web', subnet: '10.1.17.0/24' }
const KEPT: NetworkOptions = { ...WEB, gateway: '10.1.17.254', aux: '10.1.17.9' }

describe('the gateway and the auxiliary address that a person chose', () => {
  it('are kept from containers for as long as the network is there', async () => {
    const clock = { ms: 0 }
    const romana = await startRomana({ nowMs: () => clock.ms })
    const network = await romana.engine.createNetwork('n1', KEPT)
    expect(network.gateway).toBe('10.1.17.254/24')
    expect(await takenIn(romana)).toBe('10.1.17.254 auxiliary, 10.1.17.9 auxiliary')
    await romana.call('IpamDriver.ReleaseAddress', { PoolID: network.poolId, Address: '192.0.2.1' })
    clock.ms += 2 * REST_MS
    for (const ip of ['10.1.17.9', '10.1.17.254']) {
      await expect(romana.engine.run('e1', network, { ip })).rejects.toThrow('(E_ADDRESS_TAKEN)')
    }
  })

  it('are free when the network is gone', async () => {
    const romana = await startRomana()
    await romana.engine.removeNetwork(await romana.engine.createNetwork('n1', KEPT))
    expect(await takenIn(romana)).toBe('')
  })

  it('are kept over a lost journal', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', KEPT)
    await mirrorHost(romana)
    const { kernel, directory } = romana
    expect(await takenIn(await startRomana({ kernel, directory }))).toBe(
      '10.1.17.254 auxiliary, 10.1.17.9 auxiliary',
    )
  })

  it('may be a gateway of two networks, and go with the last', async () => {
    const romana = await startRomana()
    const options = { ...WEB, gateway: '10.1.17.254' }
    const first = await romana.engine.createNetwork('n1', options)
    await romana.engine.removeNetwork(await romana.engine.createNetwork('n2', options))
    expect(await takenIn(romana)).toBe('10.1.17.254 auxiliary')
    await romana.engine.removeNetwork(first)
    expect(await takenIn(romana)).toBe('')
  })

  it('stay kept when a second network with the same gateway cannot be made', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { ...WEB, gateway: '10.1.17.254' })
    const wrong = { ...WEB, gateway: '10.1.17.254', options: { parent: 'eth0' } }
    await expect(romana.engine.createNetwork('n2', wrong)).rejects.toThrow('(E_OPTION)')
    expect(await takenIn(romana)).toBe('10.1.17.254 auxiliary')
  })

  it('are free when their network could not be made', async () => {
    const romana = await startRomana()
    await expect(romana.engine.createNetwork('n1', { ...KEPT, options: { parent: 'eth0' } })).rejects.toThrow(
      '(E_OPTION)',
    )
    expect(await takenIn(romana)).toBe('')
  })

  it('are free when the host could not carry their network', async () => {
    const romana = await startRomana()
    romana.kernel.failNext('iptables-restore')
    await expect(romana.engine.createNetwork('n1', KEPT)).rejects.toThrow('(E_COMMAND)')
    expect(await takenIn(romana)).toBe('')
  })
})
