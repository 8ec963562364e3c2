/** Published ports as sockets, on the loopback of this machine. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { Ip } from '../../address/ip.ts'
import type { HostPort } from '../../network-driver/port-sockets.ts'
import { openPortSockets } from '../../plugin/port-sockets.ts'

const LOOPBACK = Ip.parse('127.0.0.1')
const ALL = Ip.parse('0.0.0.0')
const LOOPBACK6 = Ip.parse('::1')
const ALL6 = Ip.parse('::')

const opened = new Set<() => Promise<unknown>>()
afterEach(async () => {
  for (const end of opened) await end()
  opened.clear()
})

function open() {
  const sockets = openPortSockets()
  opened.add(() => sockets.close())
  return sockets
}

/** A TCP server that answers with what it hears, once that has ended. */
async function serveTcp(host = '127.0.0.1'): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void text(socket).then((heard) => socket.end(`heard ${heard}`))
  })
  server.listen(0, host)
  await once(server, 'listening')
  opened.add(async () => server.close())
  return portOf(server.address())
}

async function serveUdp(): Promise<number> {
  const server = createSocket('udp4')
  server.on('message', (message, from) => server.send(`heard ${message}`, from.port, from.address))
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  opened.add(async () => server.close())
  return server.address().port
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  const port = portOf(server.address())
  server.close()
  await once(server, 'close')
  return port
}

async function tcp(hostAddress = ALL): Promise<HostPort> {
  return { protocol: 'tcp', hostAddress, hostPort: await freePort() }
}

async function say(port: number, what: string, host = '127.0.0.1'): Promise<string> {
  const socket = createConnection({ host, port, allowHalfOpen: true })
  socket.end(what)
  return text(socket)
}

describe('a reserved TCP port', () => {
  it('is passed on over loopback, both ways, each to its end', async () => {
    const sockets = open()
    const port = await tcp()
    await sockets.reserve(port, { address: LOOPBACK, port: await serveTcp() })
    const long = 'x'.repeat(1_000_000)
    expect(await say(port.hostPort, long)).toBe(`heard ${long}`)
  })

  it('resets the caller when the container refuses', async () => {
    const sockets = open()
    const port = await tcp(LOOPBACK)
    await sockets.reserve(port, { address: LOOPBACK, port: await freePort() })
    await expect(say(port.hostPort, 'hello')).rejects.toThrow('ECONNRESET')
  })

  it('is free again when it is released, whoever still speaks', async () => {
    const sockets = open()
    const port = await tcp()
    const target = { address: LOOPBACK, port: await serveTcp() }
    await sockets.reserve(port, target)
    const socket = createConnection({ host: '127.0.0.1', port: port.hostPort })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await sockets.release(port)
    await sockets.release(port)
    await closed
    expect(sockets.reserved()).toEqual([])
    await sockets.reserve(port, target)
  })
})

describe('a port of both families', () => {
  const target = { address: LOOPBACK6, port: 80 }

  it('is passed on over loopback by each, to whatever address the container has', async () => {
    const sockets = open()
    const port = await tcp()
    await sockets.reserve(port, { address: LOOPBACK6, port: await serveTcp('::1') })
    await sockets.reserve({ ...port, hostAddress: ALL6 }, { address: LOOPBACK, port: await serveTcp() })
    expect(await say(port.hostPort, 'four')).toBe('heard four')
    expect(await say(port.hostPort, 'six', '::1')).toBe('heard six')
  })

  it('is passed on as UDP too', async () => {
    const sockets = open()
    const port: HostPort = { protocol: 'udp', hostAddress: ALL6, hostPort: await freePort() }
    await sockets.reserve(port, { address: LOOPBACK, port: await serveUdp() })
    const socket = createSocket('udp6')
    socket.connect(port.hostPort, '::1', () => socket.send('six'))
    const [answer] = await once(socket, 'message')
    socket.close()
    expect(String(answer)).toBe('heard six')
  })

  it('is taken in one of them only', async () => {
    const sockets = open()
    const port = await tcp(ALL6)
    await sockets.reserve(port, target)
    await sockets.reserve({ ...port, hostAddress: ALL }, target)
    await expect(sockets.reserve({ ...port, hostAddress: LOOPBACK6 }, target)).rejects.toThrow(
      `Bind for [::1]:${port.hostPort} failed: port is already allocated`,
    )
  })
})

describe('a reserved UDP port', () => {
  it('is passed on over loopback, to each caller its own answers', async () => {
    const sockets = open()
    const port: HostPort = { protocol: 'udp', hostAddress: ALL, hostPort: await freePort() }
    await sockets.reserve(port, { address: LOOPBACK, port: await serveUdp() })
    const callers = ['one', 'two'].map(async (name) => {
      const socket = createSocket('udp4')
      socket.connect(port.hostPort, '127.0.0.1', () => socket.send(name))
      const [answer] = await once(socket, 'message')
      socket.close()
      return String(answer)
    })
    expect(await Promise.all(callers)).toEqual(['heard one', 'heard two'])
  })
})

describe('a port that cannot be had', () => {
  const target = { address: LOOPBACK, port: 80 }

  it('is published by a container already, on this address or on all', async () => {
    const sockets = open()
    const port = await tcp(LOOPBACK)
    await sockets.reserve(port, target)
    for (const hostAddress of [LOOPBACK, ALL]) {
      await expect(sockets.reserve({ ...port, hostAddress }, target)).rejects.toThrow(
        `Cannot publish host port ${port.hostPort}/tcp: Bind for ${hostAddress}:${port.hostPort} failed: port is already allocated. Choose another port of the host, or end what has it (E_PORT_TAKEN)`,
      )
    }
  })

  it.each(['tcp', 'udp'] as const)('is another program’s: %s', async (protocol) => {
    const sockets = open()
    const hostPort = protocol === 'tcp' ? await serveTcp() : await serveUdp()
    await expect(sockets.reserve({ protocol, hostAddress: ALL, hostPort }, target)).rejects.toThrow(
      `Bind for 0.0.0.0:${hostPort} failed: address already in use`,
    )
    expect(sockets.reserved()).toEqual([])
  })

  it('is of an address that this host does not have', async () => {
    const port = await tcp(Ip.parse('192.0.2.1'))
    await expect(open().reserve(port, target)).rejects.toThrow(
      `Cannot publish host port ${port.hostPort}/tcp: Bind for 192.0.2.1:${port.hostPort} failed: cannot assign requested address. Name an address that this host has (E_PORT)`,
    )
  })
})

it('an SCTP port is kept from containers only', async () => {
  const sockets = open()
  const port: HostPort = { protocol: 'sctp', hostAddress: ALL, hostPort: 80 }
  await sockets.reserve(port, { address: LOOPBACK, port: 80 })
  await expect(sockets.reserve(port, { address: LOOPBACK, port: 80 })).rejects.toThrow('E_PORT_TAKEN')
})
