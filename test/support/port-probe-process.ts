/** Run where the caller is: `node port-probe-process.ts tcp:198.18.1.11:8080 udp:[::1]:53 …`. Prints for each how the server named the caller. */
import { createSocket } from 'node:dgram'
import { createConnection } from 'node:net'

const LIMIT_MS = 1_500

const [, , ...targets] = process.argv
const lines = await Promise.all(targets.map(async (target) => `${target} ${await probe(target)}`))
process.stdout.write(`${lines.join('\n')}\n`)
process.exit(0)

function probe(target: string): Promise<string> {
  const [, protocol, host = '', port] = /^(tcp|udp):\[?(.+?)\]?:(\d+)$/.exec(target) ?? []
  const answered = protocol === 'tcp' ? probeTcp(host, Number(port)) : probeUdp(host, Number(port))
  const late = new Promise<string>((resolve) => setTimeout(resolve, LIMIT_MS, 'nothing'))
  return Promise.race([answered, late])
}

function probeTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    socket.on('error', () => resolve('nothing'))
    socket.on('end', () => resolve('nothing'))
    socket.on('data', (data) => {
      resolve(String(data).trim())
      socket.end()
    })
  })
}

function probeUdp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.on('error', () => resolve('nothing'))
    // Connected: an answer from another address than the one that was asked does not count.
    socket.connect(port, host, () => socket.send('who'))
    socket.on('message', (data) => resolve(String(data).trim()))
  })
}
