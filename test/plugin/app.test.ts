import { describe, expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { createApp } from '../../plugin/app.ts'
import { type Drivers, METHODS, type Method } from '../../plugin/methods.ts'
import { waitUntilReady } from '../../plugin/readiness.ts'
import { startRomana } from '../network-driver/romana-steps.ts'
import { BAD_REQUESTS, LARGE_REQUESTS } from './bad-requests.ts'
import { startBusy, stateOf } from './busy-host.ts'
import { errorText, keepLog, makeApp, sendTo } from './http-steps.ts'

const POOL = JSON.stringify({ AddressSpace: 'RomanaLocal', Pool: '', SubPool: '', Options: null, V6: false })
const CONSTANTS = Object.entries(METHODS).flatMap(([name, { kind }]) => (kind === 'constant' ? [name] : []))

describe('the app', () => {
  it('answers a call with what the driver says, as the protocol wants it', async () => {
    const { drivers } = await startRomana()
    const response = await makeApp(async () => drivers).request('/IpamDriver.RequestPool', {
      method: 'POST',
      body: new TextEncoder().encode(`${POOL}\n`),
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/vnd.docker.plugins.v1.2+json')
    expect(await response.text()).toBe(
      '{"PoolID":"10.1.17.0/24,default,auto-1","Pool":"10.1.17.0/24","Data":{"com.docker.network.gateway":"10.1.17.1/24"}}',
    )
  })

  it('tells a method by which name the driver was called', async () => {
    const { drivers } = await startRomana()
    const methods: Record<string, Method> = {
      Echo: { kind: 'call', call: (_drivers, _body, driverName) => Promise.resolve({ driverName }) },
    }
    const parts = { methods, drivers: async () => drivers, log: keepLog().log }
    const names = ['romana', 'romana-net:latest'].map(async (driverName) => {
      const { body } = await sendTo(createApp({ ...parts, driverName }))({ path: '/Echo', body: '{}' })
      return body
    })
    expect(await Promise.all(names)).toEqual([{ driverName: 'romana' }, { driverName: 'romana-net:latest' }])
  })

  it.each([...BAD_REQUESTS, ...LARGE_REQUESTS])(
    'refuses $what, and nothing has changed',
    async ({ request, answer }) => {
      const host = await startBusy()
      const before = await stateOf(host)
      const text = errorText(await host.send(request))
      expect(text).toEqual(typeof answer === 'string' ? answer : expect.stringMatching(answer))
      expect(await stateOf(host)).toBe(before)
    },
  )

  it.each([
    ['Plugin.Activate', '{"Implements":["NetworkDriver","IpamDriver"]}'],
    [
      'NetworkDriver.GetCapabilities',
      '{"Scope":"local","ConnectivityScope":"global","GwAllocChecker":false}',
    ],
    ['IpamDriver.GetCapabilities', '{"RequiresMACAddress":false,"RequiresRequestReplay":false}'],
    [
      'IpamDriver.GetDefaultAddressSpaces',
      '{"LocalDefaultAddressSpace":"RomanaLocal","GlobalDefaultAddressSpace":"RomanaGlobal"}',
    ],
  ])('answers %s always alike, before recovery too', async (name, answer) => {
    const send = sendTo(makeApp(() => new Promise<Drivers>(() => undefined)))
    const answers = [undefined, '', '{}', 'junk'].map((body) =>
      send({ path: `/${name}`, ...(body !== undefined && { body }) }),
    )
    for (const given of await Promise.all(answers)) {
      expect(`${given.status} ${JSON.stringify(given.body)}`).toBe(`200 ${answer}`)
    }
  })

  it('has no other constant answers than these four', () => {
    expect(CONSTANTS).toHaveLength(4)
  })
})

describe('a call before recovery is done', () => {
  it('waits for it', async () => {
    const { promise, resolve } = Promise.withResolvers<Drivers>()
    const answer = sendTo(makeApp(() => waitUntilReady(promise)))({
      path: '/IpamDriver.RequestPool',
      body: POOL,
    })
    const first = await Promise.race([answer, new Promise((later) => setTimeout(() => later('waits'), 30))])
    expect(first).toBe('waits')
    resolve((await startRomana()).drivers)
    expect((await answer).status).toBe(200)
  })

  it('waits no longer than the limit', async () => {
    const never = new Promise<Drivers>(() => undefined)
    const send = sendTo(makeApp(() => waitUntilReady(never, 20)))
    const text =
      "Cannot recover this host's state: it has not finished within 20 ms. Look into the plugin's log, which is part of the engine's (E_NOT_READY)"
    expect(await send({ path: '/IpamDriver.RequestPool', body: POOL })).toEqual({
      status: 500,
      body: { Err: text, Error: text },
    })
  })

  it('is told what keeps the plugin from working', async () => {
    const wrong = new RomanaError('E_CONFIG', { cannot: 'use the settings', because: 'they are wrong' })
    const send = sendTo(makeApp(() => waitUntilReady(Promise.reject(wrong))))
    expect(await send({ path: '/IpamDriver.RequestPool', body: POOL })).toMatchObject({
      status: 500,
      body: { Error: 'Cannot use the settings: they are wrong (E_CONFIG)' },
    })
  })

  it('with an empty body is refused at once, not behind the recovery', async () => {
    const send = sendTo(makeApp(() => new Promise<Drivers>(() => undefined)))
    expect((await send({ path: '/IpamDriver.RequestPool', body: '' })).status).toBe(400)
  })
})

describe('an error', () => {
  const refusal = new RomanaError('E_POOL_FULL', { cannot: 'give out an address', because: 'all are taken' })
  const failing = (error: unknown) => ({
    'Test.Fail': { kind: 'call' as const, call: () => Promise.reject(error) },
  })

  it.each([
    ['of Romana', refusal, 'Cannot give out an address: all are taken (E_POOL_FULL)', 'warn'],
    [
      'that nobody foresaw',
      new TypeError('x is not a function'),
      'Cannot answer Test.Fail: x is not a function. Please report it with the log of the plugin (E_INTERNAL)',
      'error',
    ],
  ])('%s is answered in both fields, with 500, and logged', async (_what, error, text, level) => {
    const { drivers } = await startRomana()
    const { log, lines } = keepLog()
    const answer = await sendTo(makeApp(async () => drivers, failing(error), log))({
      path: '/Test.Fail',
      body: '{}',
    })
    expect(answer).toEqual({ status: 500, body: { Err: text, Error: text } })
    expect(lines).toEqual([
      expect.objectContaining({ level: log.levels.values[level], msg: text, method: 'Test.Fail' }),
    ])
  })

  it('is logged with the stack of what caused it', async () => {
    const { drivers } = await startRomana()
    const { log, lines } = keepLog()
    await sendTo(makeApp(async () => drivers, failing(new TypeError('gone')), log))({
      path: '/Test.Fail',
      body: '{}',
    })
    expect(lines[0]).toMatchObject({
      err: { type: 'TypeError', stack: expect.stringContaining('app.test.ts') },
    })
  })
})
