/** A published TCP port on loopback: each connection is passed on to the container. */

import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { HostPort, PortTarget } from '../network-driver/port-sockets.ts'
import { type BoundPort, isLoopbackText } from './bound-port.ts'

/** @throws Error of the system */
export async function listenTcp({ hostAddress, hostPort }: HostPort, target: PortTarget): Promise<BoundPort> {
  const connections = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections.add(client)
    client.on('close', () => connections.delete(client))
    serve(client, target)
  })
  server.listen({ host: String(hostAddress), port: hostPort, exclusive: true, ipv6Only: true })
  await once(server, 'listening')
  server.on('error', () => undefined)
  return { close: () => close(server, connections) }
}

/** What comes from elsewhere must not get another source. */
function serve(client: Socket, target: PortTarget): void {
  client.on('error', () => client.destroy())
  if (!isLoopbackText(client.localAddress)) {
    client.resetAndDestroy()
    return
  }
  const host = String(target.address)
  const container = createConnection({ host, port: target.port, allowHalfOpen: true })
  container.on('error', () => client.resetAndDestroy())
  client.on('close', (hadError) => hadError && container.destroy())
  container.on('close', (hadError) => hadError && client.destroy())
  client.pipe(container)
  container.pipe(client)
}

async function close(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const connection of connections) connection.destroy()
  await closed
}
