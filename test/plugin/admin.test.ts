import { stat } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { startRomana } from '../network-driver/romana-steps.ts'
import { startAdmin } from './admin-steps.ts'

const WEB = { tenant: 'blue', segment: 'web' }

describe('tenants', () => {
  it('are added, listed and removed', async () => {
    await using host = await startAdmin()
    expect(await host.ask('GET /v1/tenants')).toEqual({ status: 200, body: [] })
    expect(await host.ask('POST /v1/tenants', { name: 'blue' })).toEqual({
      status: 201,
      body: { name: 'blue', number: 1, segments: 0 },
    })
    await host.ask('POST /v1/tenants', { name: 'a.green_1' })
    await host.ask('POST /v1/segments', { tenant: 'blue', name: 'web' })
    expect((await host.ask('GET /v1/tenants')).body).toEqual([
      { name: 'blue', number: 1, segments: 1 },
      { name: 'a.green_1', number: 2, segments: 0 },
    ])
    expect(await host.ask('DELETE /v1/tenants/a.green_1')).toEqual({ status: 200, body: {} })
    expect((await host.ask('GET /v1/tenants')).body).toHaveLength(1)
    expect(host.logged().join(', ')).toBe('tenant added, tenant added, segment added, tenant removed')
  })
})

describe('segments', () => {
  it('are added with their tenant, listed and removed', async () => {
    await using host = await startAdmin()
    const web = { tenant: 'blue', tenantNumber: 1, name: 'web', number: 1, cell: '10.1.17.0/24', hosts: [] }
    expect(await host.ask('POST /v1/segments', { tenant: 'blue', name: 'web' })).toEqual({
      status: 201,
      body: web,
    })
    expect(await host.ask('GET /v1/segments')).toEqual({ status: 200, body: [web] })
    expect(await host.ask('DELETE /v1/segments/blue/web')).toEqual({ status: 200, body: {} })
    expect((await host.ask('GET /v1/segments')).body).toEqual([])
    expect((await host.ask('GET /v1/tenants')).body).toEqual([{ name: 'blue', number: 1, segments: 0 }])
  })

  it('of networks say which hosts have one, and can be removed when they are gone', async () => {
    await using host = await startAdmin()
    const network = await host.romana.engine.createNetwork('n1', WEB)
    expect((await host.ask('GET /v1/segments')).body).toMatchObject([{ name: 'web', hosts: [1] }])
    expect(await host.ask('DELETE /v1/segments/blue/web')).toEqual({
      status: 409,
      body: {
        code: 'E_SEGMENT_IN_USE',
        message:
          'Cannot remove segment "web" of tenant "blue": it has networks on host 1 (unknown). Remove them there first, with docker network rm (E_SEGMENT_IN_USE)',
      },
    })
    await host.romana.engine.removeNetwork(network)
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(200)
  })
})

describe('what this host has', () => {
  it('is listed: networks and endpoints', async () => {
    await using host = await startAdmin()
    const { engine } = host.romana
    const network = await engine.createNetwork('n1', {
      ...WEB,
      internal: true,
      options: { 'com.docker.network.driver.mtu': '1400' },
    })
    await engine.run('e1', network)
    expect(await host.ask('GET /v1/networks')).toEqual({
      status: 200,
      body: [
        {
          networkId: 'n1',
          ...WEB,
          cell: '10.1.17.0/24',
          gateway: '10.1.17.1',
          auxiliary: [],
          internal: true,
          mtu: 1400,
          endpoints: 1,
        },
      ],
    })
    expect(await host.ask('GET /v1/endpoints')).toEqual({
      status: 200,
      body: [
        { endpointId: 'e1', networkId: 'n1', ...WEB, address: '10.1.17.2', link: 'rmni1', joined: true },
      ],
    })
  })

  it('is as recorded, and the plan for it empty', async () => {
    await using host = await startAdmin()
    await host.romana.engine.createNetwork('n1', WEB)
    expect(await host.ask('GET /v1/plan')).toEqual({ status: 200, body: { plan: '' } })
  })

  it('is not as recorded any more: the plan says what would be changed, and nothing is', async () => {
    await using host = await startAdmin()
    const { engine, kernel, plans } = host.romana
    await engine.run('e1', await engine.createNetwork('n1', WEB))
    kernel.ip('route delete 10.1.17.2/32 dev rmne1 table 8200 protocol 82')
    const before = kernel.show()
    expect(await host.ask('GET /v1/plan')).toEqual({
      status: 200,
      body: { plan: '# ip -batch\nroute add 10.1.17.2/32 dev rmne1 table 8200 protocol 82\n' },
    })
    expect(kernel.show()).toBe(before)
    expect(plans.length).toBe(1)
  })
})

describe('the status', () => {
  it('of a plugin that is ready has its host, its plan and how much there is', async () => {
    await using host = await startAdmin()
    await host.romana.engine.run('e1', await host.romana.engine.createNetwork('n1', WEB))
    expect(await host.ask('GET /v1/status')).toEqual({
      status: 200,
      body: {
        ready: true,
        host: 1,
        plan: '10.0.0.0/8 8/4/4/8',
        createSegments: true,
        tenants: 1,
        segments: 1,
        networks: 1,
        endpoints: 1,
      },
    })
  })

  it('of a plugin that is not ready has the reason', async () => {
    const wrong = new RomanaError('E_CONFIG', { cannot: 'use the settings', because: 'they are wrong' })
    await using host = await startAdmin({}, () => Promise.reject(wrong))
    expect(await host.ask('GET /v1/status')).toEqual({
      status: 200,
      body: { ready: false, reason: 'Cannot use the settings: they are wrong (E_CONFIG)' },
    })
  })

  it('is answered while the plugin recovers', async () => {
    await using host = await startAdmin({}, () => new Promise(() => undefined))
    expect((await host.ask('GET /v1/status')).body).toEqual({
      ready: false,
      reason: 'The plugin recovers what this host has',
    })
  })

  it('of a store that fails is that failure', async () => {
    const journal = openMemoryStore()
    await using host = await startAdmin({ journal })
    await journal.close()
    expect(await host.ask('GET /v1/status')).toEqual({
      status: 500,
      body: { code: 'E_STORE', message: 'Cannot use the store in memory: it is closed (E_STORE)' },
    })
  })
})

describe('the API refuses', () => {
  it.each<[string, object | string | undefined, number, string]>([
    [
      'GET /v1/nothing',
      undefined,
      404,
      'Cannot answer GET /v1/nothing: Romana has no such request (E_METHOD)',
    ],
    ['PUT /v1/tenants', { name: 'x' }, 404, '(E_METHOD)'],
    ['POST /IpamDriver.RequestPool', {}, 404, '(E_METHOD)'],
    ['POST /v1/tenants', '{', 400, 'Cannot answer POST /v1/tenants: '],
    ['POST /v1/tenants', '', 400, '(E_REQUEST)'],
    ['POST /v1/tenants', {}, 400, 'Cannot answer POST /v1/tenants: "name": '],
    ['POST /v1/tenants', { name: 5 }, 400, '(E_REQUEST)'],
    ['POST /v1/tenants', { name: 'a/b' }, 400, 'Cannot use "a/b" as the name of a tenant: '],
    [
      'POST /v1/tenants',
      { name: 'blue' },
      409,
      'Cannot make tenant "blue": it is there already (E_SEGMENT_EXISTS)',
    ],
    ['POST /v1/segments', { tenant: 'blue' }, 400, '"name": '],
    ['POST /v1/segments', { tenant: 'blue', name: '-' }, 400, '(E_NAME)'],
    [
      'POST /v1/segments',
      { tenant: 'blue', name: 'web' },
      409,
      'Cannot make segment "web" of tenant "blue": it is there',
    ],
    [
      'POST /v1/segments',
      { tenant: 'blue', name: 'auto-7' },
      400,
      'such names are for the segments of networks without options',
    ],
    ['DELETE /v1/tenants/red', undefined, 404, 'Cannot remove tenant "red": there is none of this name.'],
    ['DELETE /v1/tenants/a%2Fb', undefined, 400, '(E_NAME)'],
    [
      'DELETE /v1/tenants/blue',
      undefined,
      409,
      'Cannot remove tenant "blue": it has segments: web. Remove each of them first, as in: romana segment remove blue web (E_SEGMENT_IN_USE)',
    ],
    ['DELETE /v1/segments/blue/db', undefined, 404, 'Cannot remove segment "db" of tenant "blue"'],
    ['POST /v1/tenants', { name: 'x'.repeat(2_000_000) }, 400, 'its body has more than 1048576 bytes'],
  ])('%s, wrong in a way of its own (%#)', async (line, body, status, text) => {
    await using host = await startAdmin()
    await host.ask('POST /v1/segments', { tenant: 'blue', name: 'web' })
    const before = [await host.ask('GET /v1/tenants'), await host.ask('GET /v1/segments')]
    const answer = await host.ask(line, body)
    expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toContain(text)
    expect(answer.status).toBe(status)
    expect([await host.ask('GET /v1/tenants'), await host.ask('GET /v1/segments')]).toEqual(before)
  })

  it('a tenant more than the plan has numbers for', async () => {
    await using host = await startAdmin({ plan: '10.0.0.0/8 8/1/7/8' })
    await host.ask('POST /v1/tenants', { name: 'blue' })
    expect(await host.ask('POST /v1/tenants', { name: 'green' })).toMatchObject({
      status: 409,
      body: { code: 'E_TENANTS_FULL' },
    })
  })

  it('everything but the status while the plugin is not ready', async () => {
    const wrong = new RomanaError('E_NOT_READY', { cannot: 'recover', because: 'the disk is full' })
    await using host = await startAdmin({}, () => Promise.reject(wrong))
    const lines = ['tenants', 'segments', 'networks', 'endpoints', 'plan'].map((what) => `GET /v1/${what}`)
    for (const line of [...lines, 'DELETE /v1/tenants/blue']) {
      expect(await host.ask(line), line).toEqual({
        status: 503,
        body: { code: 'E_NOT_READY', message: 'Cannot recover: the disk is full (E_NOT_READY)' },
      })
    }
  })
})

describe('the socket', () => {
  it('is for its owner only', async () => {
    await using host = await startAdmin()
    expect(((await stat(host.socket)).mode & 0o777).toString(8)).toBe('600')
  })
})

describe('a pool that the engine asked for and made no network of', () => {
  it('does not keep a segment from being removed for more than a minute', async () => {
    const clock = { ms: 0 }
    await using host = await startAdmin({ nowMs: () => clock.ms })
    await host.romana.call('IpamDriver.RequestPool', { AddressSpace: 'RomanaLocal', Options: WEB })
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(409)
    clock.ms = 60_000
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(200)
  })

  it('is not one whose network is there', async () => {
    const clock = { ms: 0 }
    await using host = await startAdmin({ nowMs: () => clock.ms })
    await host.romana.engine.createNetwork('n1', WEB)
    clock.ms = 60_000
    await host.ask('DELETE /v1/segments/blue/web')
    clock.ms = 120_000
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(409)
    expect((await startRomana(host.romana)).recovered.networks).toBe(0)
  })
})
