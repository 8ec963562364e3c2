import { connect } from 'node:net'
import { expect, it, vi } from 'vitest'
import { BAD_REQUESTS, type BadRequest, LARGE_REQUESTS } from './bad-requests.ts'
import { errorText, keepAliveAgent, type Send, sendThrough } from './http-steps.ts'
import { canStartPlugin, PluginProcess } from './plugin-process.ts'
import { STRANGERS } from './protocol-calls.ts'

/** A container of the first network. */
const CONTAINER: readonly (readonly [string, object])[] = [
  ['IpamDriver.RequestPool', { AddressSpace: 'RomanaLocal', Options: { tenant: 'blue', segment: 'web' } }],
  [
    'NetworkDriver.CreateNetwork',
    {
      NetworkID: 'n0',
      Options: {},
      IPv4Data: [{ AddressSpace: 'RomanaLocal', Pool: '10.1.17.0/24', Gateway: '10.1.17.1/24' }],
      IPv6Data: [],
    },
  ],
  ['IpamDriver.RequestAddress', { PoolID: '10.1.17.0/24,blue,web', Address: '10.1.17.2', Options: null }],
  [
    'NetworkDriver.CreateEndpoint',
    { NetworkID: 'n0', EndpointID: 'e0', Interface: { Address: '10.1.17.2/32' } },
  ],
  ['NetworkDriver.Join', { NetworkID: 'n0', EndpointID: 'e0', SandboxKey: 'c0' }],
]

const STRANGE_REQUESTS: readonly BadRequest[] = STRANGERS.map(([{ method, body }, answer]) => ({
  what: method,
  request: { path: `/${method}`, body: JSON.stringify(body) },
  answer,
}))

async function expectAnswer(send: Send, { what, request, answer }: BadRequest): Promise<void> {
  expect(errorText(await send(request)), what).toEqual(
    typeof answer === 'string' ? answer : expect.stringMatching(answer),
  )
}

/** No request at all, half of one, and one that is longer than it says. */
const NO_REQUESTS = [
  'junk\r\n\r\n',
  'POST /NetworkDriver.Join HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{',
  'POST /NetworkDriver.DeleteNetwork HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}{"NetworkID":"n0"}',
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
]

/** Whatever comes back. */
function sendBytes(socketPath: string, text: string): Promise<void> {
  const socket = connect(socketPath)
  socket.on('error', () => undefined).resume()
  socket.end(text)
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

it.skipIf(!canStartPlugin())(
  'the process answers every bad request, ten at once too, changes nothing and goes on',
  { timeout: 120_000 },
  async () => {
    await using plugin = await PluginProcess.start()
    const senders = Array.from({ length: 10 }, () => sendThrough(plugin.socket, keepAliveAgent()))
    const send = sendThrough(plugin.socket)
    for (const [method, body] of CONTAINER)
      expect(errorText(await send({ path: `/${method}`, body: JSON.stringify(body) }))).toMatch(/^200 /)
    // The directory's copy is written behind.
    await vi.waitUntil(async () => (await plugin.state()).includes('/host-endpoints/1/e0 '), 10_000)
    const before = await plugin.state()
    for (const carried of ['rmne1', 'lookup 8200', '10.1.17.2 dev rmne1', '-A ROMANA-FORWARD'])
      expect(before).toContain(carried)
    for (const bad of BAD_REQUESTS) await expectAnswer(send, bad)
    for (const strange of STRANGE_REQUESTS)
      await Promise.all(senders.map((each) => expectAnswer(each, strange)))
    for (const large of LARGE_REQUESTS) await expectAnswer(send, large)
    for (const text of NO_REQUESTS) await sendBytes(plugin.socket, text)
    expect(await plugin.state()).toBe(before)
    expect(plugin.isRunning()).toBe(true)
    expect(plugin.log.split('\n').filter((line) => line.includes('E_INTERNAL'))).toEqual([])
    expect(await plugin.stop()).toBe(0)
  },
)
