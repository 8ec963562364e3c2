/** Run in a container's network: `node port-server-process.ts tcp:80 udp:53`. Says who calls, and then repeats what it hears. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const [, , ...ports] = process.argv
for (const text of ports) {
  const [protocol, port] = text.split(':')
  for (const host of ['0.0.0.0', '::']) {
    if (protocol === 'tcp') serveTcp(Number(port), host)
    else serveUdp(Number(port), host)
  }
}

function serveTcp(port: number, host: string): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.write(`${socket.remoteAddress}\n`)
    socket.pipe(socket)
  })
  server.listen({ port, host, ipv6Only: true })
}

function serveUdp(port: number, host: string): void {
  const socket = createSocket(host === '::' ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
  socket.on('message', (_message, from) => socket.send(`${from.address}\n`, from.port, from.address))
  socket.bind(port, host)
}
