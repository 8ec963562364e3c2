import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { startWithContainer, WEB } from './container-steps.ts'
import { mirrorHost, type Romana, recordOf, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

/** The same with a clock, kernel and directory, to which the mirror has written, and a fresh journal. */
async function startWithoutJournal(romana: Romana): Promise<Romana> {
  await mirrorHost(romana)
  return startRomana({ ...romana, journal: openMemoryStore() })
}

function startWithoutStores(romana: Romana): Promise<Romana> {
  return startRomana({ ...romana, journal: openMemoryStore(), directory: openMemoryStore() })
}

describe('a lost journal', () => {
  it('is written anew from the kernel and the copy in the directory', async () => {
    const romana = await startWithContainer({ ...WEB, options: { 'com.docker.network.driver.mtu': '1400' } })
    const again = await startWithoutJournal(romana)
    expect(again.recovered).toEqual({ networks: 1, endpoints: 1 })
    expect(again.kernel.show()).toBe(romana.kernel.show())
    for (const key of ['/networks/n1', '/addresses/10.1.17.2', '/endpoints/e1']) {
      expect(await recordOf(again.journal, key)).toBe(await recordOf(romana.journal, key))
    }
  })

  it('gives no address and no link number a second time', async () => {
    const romana = await startWithContainer()
    const { engine } = await startWithoutJournal(romana)
    const next = await engine.run('e2', romana.endpoint.network)
    expect(`${next.address} ${next.link}`).toBe('10.1.17.3 rmp2')
  })

  it('is made up for as far as the engine goes on, down to the last network', async () => {
    const romana = await startWithContainer()
    const again = await startWithoutJournal(romana)
    await again.engine.stop(romana.endpoint)
    await again.engine.removeNetwork(romana.endpoint.network)
    expect(again.kernel.show()).toBe('iptables -t filter -P FORWARD DROP\nnet.ipv4.ip_forward = 1')
    expect(await takenIn(again)).toBe('')
  })

  it('lets networks without containers work on', async () => {
    const romana = await startRomana()
    const network = await romana.engine.createNetwork('n1', WEB)
    const again = await startWithoutJournal(romana)
    expect((await again.engine.run('e1', network)).address).toBe('10.1.17.2')
  })

  it('counts the networks of a pool anew', async () => {
    const romana = await startRomana()
    const networks = [
      await romana.engine.createNetwork('n1'),
      await romana.engine.createNetwork('n2', { segment: 'auto-1' }),
    ]
    const again = await startWithoutJournal(romana)
    for (const network of networks) {
      expect(await keysOf(again.directory, '/segments/')).toBe('/segments/default/auto-1')
      await again.engine.removeNetwork(network)
    }
    expect(await keysOf(again.directory, '/segments/')).toBe('')
  })

  it.each([
    ['of somebody else', 'not ours'],
    ['of a later version', 'romana2 e9 n9 10.1.17.9 blue web'],
    ['of another plan', 'romana1 e9 n9 172.16.0.9 blue web'],
    ['with names that are none', 'romana1 e/9 n9 10.1.17.9 blue web'],
  ])('is not filled from a link %s, which stays as it is', async (_what, alias) => {
    const romana = await startRomana()
    romana.kernel.ip(
      'link add name rmne9 mtu 1500 type veth peer name rmp9 mtu 1500',
      `link set dev rmne9 addrgenmode none alias "${alias}" up`,
    )
    romana.kernel.enterContainer('rmp9')
    const before = romana.kernel.show()
    const again = await startRomana(romana)
    expect(await keysOf(again.journal)).toBe('')
    expect(again.kernel.show()).toBe(before)
    expect((await again.engine.run('e1', await again.engine.createNetwork('n1'))).link).toBe('rmp10')
  })

  it('has nothing to say of a pair that no container has', async () => {
    const romana = await startWithContainer()
    romana.kernel.leaveContainer(romana.endpoint.link)
    const again = await startWithoutJournal(romana)
    expect(again.recovered.endpoints).toBe(0)
    expect(showEndpoints(again)).toBe('')
  })
})

describe('both stores lost', () => {
  it('leave networks, tenants and segments of running containers with their numbers', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'green' })
    const network = await romana.engine.createNetwork('n2', { ...WEB, internal: true })
    const endpoint = await romana.engine.run('e1', network)
    const again = await startWithoutStores(romana)
    expect(again.kernel.show()).toBe(romana.kernel.show())
    expect(await recordOf(again.journal, '/networks/n2')).toBe(
      '{"auxiliary":[],"cell":"10.1.33.0/24","gateway":"10.1.33.1","internal":true,"networkId":"n2","segment":"web","tenant":"blue"}',
    )
    expect((await again.engine.createNetwork('n3', WEB)).pool).toBe('10.1.33.0/24')
    expect((await again.engine.createNetwork('n4', { tenant: 'red' })).pool).toBe('10.1.17.0/24')
    await again.engine.stop(endpoint)
    expect(await takenIn(again)).toBe('')
  })

  it('keep the gateway that a person chose', async () => {
    const romana = await startWithContainer({ ...WEB, subnet: '10.1.17.0/24', gateway: '10.1.17.254' })
    const again = await startWithoutStores(romana)
    expect(await recordOf(again.journal, '/networks/n1')).toContain('"gateway":"10.1.17.254"')
    expect(again.kernel.show()).toBe(romana.kernel.show())
    await expect(again.engine.run('e2', romana.endpoint.network, { ip: '10.1.17.254' })).rejects.toThrow(
      '(E_ADDRESS_TAKEN)',
    )
  })
})
