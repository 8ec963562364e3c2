import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { close, listen } from '../../plugin/listen.ts'
import type { Method } from '../../plugin/methods.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, startRomana } from '../network-driver/romana-steps.ts'
import { BAD_REQUESTS, LARGE_REQUESTS } from './bad-requests.ts'
import { errorText, keepAliveAgent, makeApp, sendThrough } from './http-steps.ts'

const POOL = JSON.stringify({ AddressSpace: 'RomanaLocal', Options: {} })

let directory: string
let socket: string
let romana: Romana
let agent: Agent
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/romana-listen-`)
  socket = `${directory}/plugins/romana.sock`
  romana = await startRomana()
  agent = keepAliveAgent()
})
afterEach(async () => {
  agent.destroy()
  await rm(directory, { recursive: true })
})

/** Listens for the length of a test. */
async function serve(methods?: Readonly<Record<string, Method>>) {
  const server = await listen(
    makeApp(async () => romana.drivers, methods),
    socket,
  )
  return { server, [Symbol.asyncDispose]: () => close(server, 0) }
}

describe('the socket', () => {
  it('refuses the same requests as the app, and nothing has changed', { timeout: 20_000 }, async () => {
    await using _server = await serve()
    const send = sendThrough(socket, agent)
    for (const { what, request, answer } of [...BAD_REQUESTS, ...LARGE_REQUESTS.slice(0, 3)]) {
      const text = errorText(await send(request))
      expect(text, what).toEqual(typeof answer === 'string' ? answer : expect.stringMatching(answer))
    }
    expect(`${await keysOf(romana.directory)}${await keysOf(romana.journal)}${romana.kernel.show()}`).toBe('')
  })

  it.each([{ host: '' }, { host: 'plugin.moby.localhost' }, { host: '//[' }])(
    'answers whatever the Host header says: %j',
    async (headers) => {
      await using _server = await serve()
      expect(
        (await sendThrough(socket, agent)({ path: '/IpamDriver.RequestPool', body: POOL, headers })).status,
      ).toBe(200)
    },
  )

  it.each(LARGE_REQUESTS.slice(0, 2))(
    'reads $what to its end, so that the connection stays and the answer is not lost',
    async ({ request }) => {
      await using _server = await serve()
      const send = sendThrough(socket, agent)
      expect((await send(request)).status).toBe(400)
      const [before] = Object.values(agent.freeSockets).flat()
      await delay(1_000)
      expect(before?.destroyed).toBe(false)
      expect((await send({ path: '/IpamDriver.RequestPool', body: POOL })).status).toBe(200)
      expect(Object.values(agent.freeSockets).flat()[0]).toBe(before)
    },
  )

  it('leaves an idle connection open, for the engine would send the next call without its body', {
    timeout: 15_000,
  }, async () => {
    await using _server = await serve()
    const send = sendThrough(socket, agent)
    await send({ path: '/Plugin.Activate' })
    const [before] = Object.values(agent.freeSockets).flat()
    await delay(7_000)
    expect(before?.destroyed).toBe(false)
    await send({ path: '/IpamDriver.RequestPool', body: POOL })
    expect(Object.values(agent.freeSockets).flat()[0]).toBe(before)
  })

  it('has no time limit at all, nor for a connection that has not been used yet', async () => {
    await using serving = await serve()
    const { timeout, keepAliveTimeout, requestTimeout, headersTimeout } = serving.server
    expect([timeout, keepAliveTimeout, requestTimeout, headersTimeout].join(' ')).toBe('0 0 0 0')
  })

  it('is for its owner only', async () => {
    await using _server = await serve()
    expect(((await stat(socket)).mode & 0o777).toString(8)).toBe('600')
  })

  it('takes the place of a stale file, and is gone after the end', async () => {
    await (await serve())[Symbol.asyncDispose]()
    await expect(stat(socket)).rejects.toThrow('ENOENT')
    await writeFile(socket, 'stale')
    await using _server = await serve()
    expect((await sendThrough(socket, agent)({ path: '/Plugin.Activate' })).status).toBe(200)
  })

  it('that cannot be made says why', async () => {
    await writeFile(`${directory}/plugins`, 'a file')
    await expect(serve()).rejects.toThrow(/^Cannot listen on .*\/plugins\/romana\.sock: .* \(E_HOST\)$/)
  })

  it('gives the mask of new files back', async () => {
    const before = process.umask()
    await using _server = await serve()
    expect(process.umask()).toBe(before)
  })
})

describe('the end of the socket', () => {
  /** A method that answers when it is told to. */
  function makeSlow() {
    const { promise, resolve } = Promise.withResolvers<object>()
    const begun = Promise.withResolvers<void>()
    const call = () => {
      begun.resolve()
      return promise
    }
    return { methods: { 'Test.Slow': { kind: 'call' as const, call } }, begun: begun.promise, resolve }
  }

  it('waits for the calls under way', async () => {
    const slow = makeSlow()
    const { server } = await serve(slow.methods)
    const answer = sendThrough(socket, agent)({ path: '/Test.Slow', body: '{}' })
    await slow.begun
    const closed = close(server, 5_000)
    slow.resolve({ well: true })
    expect(await answer).toEqual({ status: 200, body: { well: true } })
    const answeredMs = performance.now()
    await closed
    expect(performance.now() - answeredMs).toBeLessThan(1_000)
  })

  it('waits no longer than it is told to', async () => {
    const slow = makeSlow()
    const { server } = await serve(slow.methods)
    const answer = sendThrough(socket, agent)({ path: '/Test.Slow', body: '{}' })
    const failure = expect(answer).rejects.toThrow('socket hang up')
    await slow.begun
    await close(server, 20)
    await failure
  })

  it('does not wait for idle connections', async () => {
    const { server } = await serve()
    await sendThrough(socket, agent)({ path: '/Plugin.Activate' })
    const startedMs = performance.now()
    await close(server, 5_000)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })
})
