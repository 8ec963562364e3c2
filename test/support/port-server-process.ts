/** Run in a container's network: `node port-server-process.ts tcp:80 udp:53`. Says who calls, and then repeats what it hears. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const [, , ...ports] = process.argv
for (const text of ports) {
  const [protocol, port] = text.split(':')
  if (protocol === 'tcp') serveTcp(Number(port))
  else serveUdp(Number(port))
}

function serveTcp(port: number): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.write(`${socket.remoteAddress}\n`)
    socket.pipe(socket)
  })
  server.listen(port, '0.0.0.0')
}

function serveUdp(port: number): void {
  const socket = createSocket('udp4')
  socket.on('message', (_message, from) => socket.send(`${from.address}\n`, from.port, from.address))
  socket.bind(port, '0.0.0.0')
}
