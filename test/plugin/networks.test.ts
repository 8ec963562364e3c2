import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { EngineNetwork } from '../../cluster/everywhere.ts'
import { RomanaError } from '../../errors.ts'
import { REST_MS } from '../../ipam-driver/addresses.ts'
import { makeFindGone } from '../../plugin/gone-networks.ts'
import { NetworkIdSchema } from '../../store/ids.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { formatRecord } from '../../store/records.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { startRomana } from '../network-driver/romana-steps.ts'
import { type AdminHost, startAdmin } from './admin-steps.ts'

const WEB = { tenant: 'blue', segment: 'web' }

/** An engine that says it has these networks, or why it does not answer. */
function engineWith(answer: readonly EngineNetwork[] | RomanaError) {
  const networks = () => (answer instanceof RomanaError ? Promise.reject(answer) : Promise.resolve(answer))
  return { networks }
}

const SILENT = new RomanaError('E_ENGINE', { cannot: 'list the networks', because: 'it is away' })

/** What is left of networks: "/networks/n1; /pools/10.1.17.0/24; /segment-hosts/blue/web/1". */
async function leftIn({ romana }: AdminHost): Promise<string> {
  const keys = [
    await keysOf(romana.journal, '/networks/'),
    await keysOf(romana.journal, '/pools/'),
    await keysOf(romana.directory, '/segment-hosts/'),
  ]
  return keys.join('; ')
}

describe('a network that the engine removed while the plugin was away', () => {
  it('is listed, and removed with its pool, its segment and all that the host had for it', async () => {
    await using host = await startAdmin()
    await host.romana.engine.createNetwork('n1')
    expect(await host.ask('GET /v1/networks')).toMatchObject({
      status: 200,
      body: [{ networkId: 'n1', segment: 'auto-1', endpoints: 0 }],
    })
    expect(await host.ask('DELETE /v1/networks/n1')).toMatchObject({
      status: 200,
      body: { networkId: 'n1', tenant: 'default', segment: 'auto-1' },
    })
    expect(await leftIn(host)).toBe('; ; ')
    expect(await keysOf(host.romana.directory, '/segments/')).toBe('')
    expect(host.romana.kernel.show()).toBe('iptables -t filter -P FORWARD DROP\nnet.ipv4.ip_forward = 1')
    expect(host.logged()).toEqual(['network removed'])
  })

  it('gives back both pools of both families, and the addresses that it kept', async () => {
    await using host = await startAdmin({ plan6: 'fd3a:1c55:9e02::/48 16/16/16/32' })
    await host.romana.engine.createNetwork('n1', { ...WEB, ipv6: true, gateway: '10.1.17.9' })
    expect(await keysOf(host.romana.journal, '/pools/')).toContain('fd3a:')
    await host.ask('DELETE /v1/networks/n1')
    expect(await leftIn(host)).toBe('; ; ')
    expect((await host.romana.journal.get('/addresses/10.1.17.9'))?.value).toContain('resting')
  })

  it('takes nothing from another network of its segment, even if the engine removes it after all', async () => {
    await using host = await startAdmin()
    const { engine } = host.romana
    const one = await engine.createNetwork('n1', WEB)
    const other = await engine.createNetwork('n2', WEB)
    await host.ask('DELETE /v1/networks/n1')
    await engine.removeNetwork(one)
    expect(await leftIn(host)).toBe('/networks/n2; /pools/10.1.17.0/24; /segment-hosts/blue/web/1')
    await engine.run('e1', other)
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(409)
  })

  it('leaves no hold behind when it was the last of several', async () => {
    const clock = { ms: 0 }
    await using host = await startAdmin({ nowMs: () => clock.ms })
    for (const id of ['n1', 'n2', 'n3']) await host.romana.engine.createNetwork(id, WEB)
    await host.ask('GET /v1/networks')
    await host.romana.drivers.ipam.forgetUnusedPools()
    clock.ms = REST_MS
    for (const id of ['n1', 'n2', 'n3']) await host.ask(`DELETE /v1/networks/${id}`)
    expect(await leftIn(host)).toBe('; ; ')
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(200)
  })

  it('is gone for good when the plugin dies behind the record: the pool follows', async () => {
    const clock = { ms: 0 }
    await using host = await startAdmin({ nowMs: () => clock.ms })
    await host.romana.engine.createNetwork('n1')
    await host.romana.drivers.network.removeLostNetwork(v.parse(NetworkIdSchema, 'n1'))
    const again = await startRomana({ ...host.romana })
    await again.drivers.ipam.forgetUnusedPools()
    clock.ms += REST_MS
    await again.drivers.ipam.forgetUnusedPools()
    expect(await leftIn(host)).toBe('; ; ')
    expect((await host.ask('DELETE /v1/networks/n1')).status).toBe(404)
  })

  it('takes endpoints with it that no container has', async () => {
    await using host = await startAdmin()
    const { engine, call, journal } = host.romana
    const network = await engine.createNetwork('n1', WEB)
    await call('IpamDriver.RequestAddress', { PoolID: network.poolId, Address: '', Options: null })
    const names = { NetworkID: 'n1', EndpointID: 'e1' }
    await call('NetworkDriver.CreateEndpoint', { ...names, Interface: { Address: '10.1.17.2/32' } })
    expect((await host.ask('DELETE /v1/networks/n1')).status).toBe(200)
    expect(await keysOf(journal, '/endpoints/')).toBe('')
    expect((await journal.get('/addresses/10.1.17.2'))?.value).toContain('resting')
  })
})

describe('a network is not removed', () => {
  it('as long as containers are on it', async () => {
    await using host = await startAdmin()
    await host.romana.engine.run('e1', await host.romana.engine.createNetwork('n1', WEB))
    const before = await leftIn(host)
    expect(await host.ask('DELETE /v1/networks/n1')).toEqual({
      status: 409,
      body: {
        code: 'E_NETWORK_IN_USE',
        message:
          'Cannot remove the network "n1": containers are on it: 10.1.17.2. Stop them first; "romana endpoint list" shows them (E_NETWORK_IN_USE)',
      },
    })
    expect(await leftIn(host)).toBe(before)
  })

  it.each([
    ['n3', 'the ids of no network of this host begin so'],
    ['n', 'the ids of 2 networks of this host begin so'],
    ['blue-web', 'the ids of no network of this host begin so'],
  ])('by "%s", which means none or several', async (text, because) => {
    await using host = await startAdmin()
    for (const id of ['n1', 'n2']) await host.romana.engine.createNetwork(id, WEB)
    expect(await host.ask(`DELETE /v1/networks/${text}`)).toEqual({
      status: 404,
      body: {
        code: 'E_NETWORK_UNKNOWN',
        message: `Cannot remove the network "${text}": ${because}. The ids are in: romana network list (E_NETWORK_UNKNOWN)`,
      },
    })
  })

  it('as long as the engine has it, where the plugin may ask', async () => {
    const engine = engineWith([{ id: 'n1', name: 'blue-web' }])
    await using host = await startAdmin({}, undefined, undefined, engine)
    for (const id of ['n1', 'n2']) await host.romana.engine.createNetwork(id, WEB)
    expect((await host.ask('GET /v1/networks')).body).toMatchObject([
      { networkId: 'n1', name: 'blue-web' },
      { networkId: 'n2', gone: true },
    ])
    expect(await host.ask('DELETE /v1/networks/n1')).toEqual({
      status: 409,
      body: {
        code: 'E_NETWORK_IN_USE',
        message:
          'Cannot remove the network "n1": the engine still has it as "blue-web". Type: docker network rm blue-web (E_NETWORK_IN_USE)',
      },
    })
    expect((await host.ask('DELETE /v1/networks/n2')).status).toBe(200)
  })

  it('when the engine that may be asked does not answer; it is listed without its name', async () => {
    await using host = await startAdmin({}, undefined, undefined, engineWith(SILENT))
    await host.romana.engine.createNetwork('n1', WEB)
    const { body } = await host.ask('GET /v1/networks')
    expect(JSON.stringify(body)).toContain('"networkId":"n1"')
    expect(JSON.stringify(body)).not.toMatch(/"(name|gone)"/)
    expect(await host.ask('DELETE /v1/networks/n1')).toMatchObject({
      status: 500,
      body: { code: 'E_ENGINE' },
    })
  })
})

describe('networks that the engine does not have', () => {
  it('are told of once, when two looks in a row have missed them', async () => {
    const journal = openMemoryStore()
    const there: EngineNetwork[] = []
    const look = makeFindGone({ journal, engine: engineWith(there) })
    const lookOnce = async () => (await look()).join('; ')
    const value = formatRecord({
      ...WEB,
      networkId: '0123456789abcdef',
      cell: '10.1.17.0/24',
      gateway: '10.1.17.1',
      internal: false,
    })
    await journal.commit([{ kind: 'put', key: '/networks/0123456789abcdef', value }])
    expect(await lookOnce()).toBe('')
    there.push({ id: '0123456789abcdef', name: 'blue-web' })
    expect(await lookOnce()).toBe('')
    there.pop()
    expect(await lookOnce()).toBe('')
    expect(await lookOnce()).toBe(
      'the engine does not have network "0123456789abcdef" of segment "web" of tenant "blue" any more: romana network remove 0123456789ab',
    )
    expect(await lookOnce()).toBe('')
  })
})
