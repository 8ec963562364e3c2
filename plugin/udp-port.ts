/** A published UDP port on loopback: each client gets a socket of its own towards the container, as long as either speaks. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Ip } from '../address/ip.ts'
import type { HostPort, PortTarget } from '../network-driver/port-sockets.ts'
import { type BoundPort, isLoopbackText } from './bound-port.ts'

/** Milliseconds of silence after which a client is forgotten: as docker-proxy does (moby, cmd/docker-proxy/udp_proxy_linux.go). */
const SILENCE_MS = 90_000

/** @throws Error of the system */
export async function listenUdp({ hostAddress, hostPort }: HostPort, target: PortTarget): Promise<BoundPort> {
  const server = socketFor(hostAddress)
  server.bind({ address: String(hostAddress), port: hostPort, exclusive: true })
  await once(server, 'listening')
  server.on('error', () => undefined)
  const clients = new Map<string, Client>()
  server.on('message', (message, from) => {
    if (isLoopbackText(from.address)) clientOf(clients, server, from, target).send(message)
  })
  return {
    async close() {
      for (const client of clients.values()) client.end()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

function socketFor({ family }: Ip): Socket {
  return createSocket({ type: `udp${family}`, ipv6Only: family === 6 })
}

interface Client {
  send(message: Buffer): void
  end(): void
}

function clientOf(
  clients: Map<string, Client>,
  server: Socket,
  from: RemoteInfo,
  target: PortTarget,
): Client {
  const name = `${from.address}:${from.port}`
  const known = clients.get(name)
  if (known !== undefined) return known
  const client = makeClient(target, {
    onAnswer: (answer) => server.send(answer, from.port, from.address),
    onEnd: () => clients.delete(name),
  })
  clients.set(name, client)
  return client
}

interface ClientEvents {
  readonly onAnswer: (answer: Buffer) => void
  readonly onEnd: () => void
}

function makeClient({ address, port }: PortTarget, { onAnswer, onEnd }: ClientEvents): Client {
  const socket = socketFor(address)
  const timer = setTimeout(end, SILENCE_MS)
  function end(): void {
    clearTimeout(timer)
    onEnd()
    socket.close()
  }
  // The container refuses: the client hears nothing, as it would of a port nobody serves.
  socket.on('error', () => undefined)
  socket.on('message', (answer) => {
    timer.refresh()
    onAnswer(answer)
  })
  return {
    send(message) {
      timer.refresh()
      socket.send(message, port, String(address))
    },
    end,
  }
}
