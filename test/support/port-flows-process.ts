/**
 * Run where the callers are: `node port-flows-process.ts HOST PORT COUNT`. So many connections send a line every 50 ms and hear it
 * again. When standard input ends it prints what became of them: "64 connections, 0 ended, 0 lines lost".
 */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

const PERIOD_MS = 50
const LAST_ANSWERS_MS = 1_000

const [, , host = '', port, count] = process.argv

interface Flow {
  readonly socket: Socket
  sent: number
  heard: number
  hasEnded: boolean
}

const flows = await Promise.all(Array.from({ length: Number(count) }, open))
const timer = setInterval(() => {
  for (const flow of flows) send(flow)
}, PERIOD_MS)
process.stdout.write('open\n')
process.stdin.resume()
await once(process.stdin, 'end')
clearInterval(timer)
await new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_MS))
const ended = flows.filter(({ hasEnded }) => hasEnded).length
const lost = flows.reduce((sum, { sent, heard }) => sum + sent - heard, 0)
process.stdout.write(`${flows.length} connections, ${ended} ended, ${lost} lines lost\n`)
process.exit(0)

async function open(): Promise<Flow> {
  const socket = createConnection({ host, port: Number(port) })
  const flow: Flow = { socket, sent: 0, heard: 0, hasEnded: false }
  socket.on('error', () => undefined)
  socket.on('close', () => {
    flow.hasEnded = true
  })
  // The server's first line says who calls.
  await once(socket, 'data')
  socket.on('data', (data) => {
    flow.heard += String(data).split('\n').length - 1
  })
  return flow
}

function send(flow: Flow): void {
  flow.sent += 1
  flow.socket.write(`${flow.sent}\n`)
}
