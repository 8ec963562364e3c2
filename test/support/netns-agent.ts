/**
 * A program: serves TCP and UDP on the ports of its arguments and sends probes. A request is a line of JSON on standard
 * input; its answer is one on standard error, which is what a `Coprocess` hears. Ends with its input.
 */
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { ECHO_PORT, ProbeRequest } from './netns-probe.ts'

/** Milliseconds after which nothing has come back. */
const PATIENCE_MS = 1_500
const NOTHING = 'nothing'
const TRANSFER_BYTES = 65_536
/** Milliseconds for a transfer: a lost packet or two are sent again. */
const TRANSFER_MS = 5_000
/** One socket a family, so that none sees IPv4-mapped addresses. */
const ANY_ADDRESS = ['0.0.0.0', '::']

const ports = process.argv.slice(2).map(Number)
await Promise.all(
  ANY_ADDRESS.flatMap((address) => [
    serveEcho(address),
    ...ports.flatMap((port) => [serveTcp(port, address), serveUdp(port, address)]),
  ]),
)
say({ id: 0, answer: 'ready' })
for await (const line of createInterface(process.stdin)) {
  const request = v.parse(ProbeRequest, JSON.parse(line))
  void send(request).then((answer) => say({ id: request.id, answer }))
}
process.exit()

function say(message: object): void {
  process.stderr.write(`${JSON.stringify(message)}\n`)
}

function serveTcp(port: number, host: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(sawText(socket.remoteAddress))
  })
  return new Promise((resolve) => server.listen({ port, host, ipv6Only: true }, resolve))
}

function serveEcho(host: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  return new Promise((resolve) => server.listen({ port: ECHO_PORT, host, ipv6Only: true }, resolve))
}

function serveUdp(port: number, host: string): Promise<void> {
  const type = udpType(host)
  const socket = createSocket({ type, ipv6Only: type === 'udp6' })
  socket.on('message', (_message, { address, port: back }) => socket.send(sawText(address), back, address))
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.bind(port, host, resolve))
}

function udpType(address: string): 'udp4' | 'udp6' {
  return address.includes(':') ? 'udp6' : 'udp4'
}

function sawText(address: string | undefined): string {
  return `saw ${address}`
}

/** What came back: "saw ADDRESS" of TCP and UDP, "echo" of ICMP, or "nothing"; of a transfer how many bytes. */
function send(request: ProbeRequest): Promise<string> {
  if (request.protocol === 'icmp') return sendIcmp(request)
  if (request.protocol === 'transfer') return transfer(request)
  return request.protocol === 'tcp' ? sendTcp(request) : sendUdp(request)
}

function sendIcmp({ from, to }: ProbeRequest): Promise<string> {
  const source = from === undefined ? [] : ['-I', from]
  const args = ['ping', '-c', '1', '-W', '1', ...source, to]
  return new Promise((resolve) => {
    execFile('busybox', args, (error) => resolve(error === null ? 'echo' : NOTHING))
  })
}

function sendTcp({ from, to, port }: ProbeRequest): Promise<string> {
  const local = from === undefined ? {} : { localAddress: from }
  const socket = connect({ host: to, port, ...local })
  return new Promise((resolve) => {
    const finish = (answer: string) => {
      resolve(answer)
      socket.destroy()
    }
    socket.setTimeout(PATIENCE_MS, () => finish(NOTHING))
    socket.on('data', (data) => finish(data.toString()))
    socket.on('error', () => finish(NOTHING))
  })
}

function sendUdp({ from, to, port }: ProbeRequest): Promise<string> {
  const socket = createSocket(udpType(to))
  return new Promise((resolve) => {
    const finish = (answer: string) => {
      clearTimeout(timer)
      resolve(answer)
      socket.close()
    }
    const timer = setTimeout(() => finish(NOTHING), PATIENCE_MS)
    socket.on('message', (data) => finish(data.toString()))
    socket.on('error', () => finish(NOTHING))
    socket.bind({ ...(from === undefined ? {} : { address: from }) }, () => socket.send('probe', port, to))
  })
}

function transfer({ to, port }: ProbeRequest): Promise<string> {
  const socket = connect({ host: to, port, allowHalfOpen: true })
  let received = 0
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      resolve(`${received} bytes`)
      socket.destroy()
    }
    const timer = setTimeout(finish, TRANSFER_MS)
    socket.on('data', ({ length }) => {
      received += length
    })
    socket.on('end', finish)
    socket.on('error', finish)
    socket.end(Buffer.alloc(TRANSFER_BYTES))
  })
}
