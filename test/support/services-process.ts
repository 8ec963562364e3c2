/** Run by services.ts in a network namespace: `node services-process.ts DNS-ADDRESS ADDRESS-OF-NAMES`. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { DOMAIN, PORT } from './services.ts'

const HEADER_BYTES = 12
const NAME_ERROR = 3
const TYPE_A = 1

const [, , dnsAddress, address = ''] = process.argv
createServer(tellCaller).listen(Number(PORT), '0.0.0.0')
const dns = createSocket('udp4')
dns.on('message', (query, from) => dns.send(answer(query), from.port, from.address))
dns.bind(53, dnsAddress)

function tellCaller(socket: Socket): void {
  // Whoever only looks whether the port is open resets the connection.
  socket.on('error', () => undefined)
  socket.end(`${socket.remoteAddress}\n`)
}

/** A response (RFC 1035, 4.1) to a query of one question: an A record, none, or that there is no such name. */
function answer(query: Buffer): Buffer {
  const { name, end } = questionOf(query)
  const isKnown = name.at(-1) === DOMAIN
  const hasRecord = isKnown && query.readUInt16BE(end - 4) === TYPE_A
  const header = Buffer.from(query.subarray(0, HEADER_BYTES))
  header.writeUInt16BE(0x8180 | (isKnown ? 0 : NAME_ERROR), 2)
  header.fill(0, 6)
  header.writeUInt16BE(hasRecord ? 1 : 0, 6)
  // The name is a pointer to the question's; class IN, a minute to live, 4 bytes.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4])
  const parts = [header, query.subarray(HEADER_BYTES, end)]
  return Buffer.concat(hasRecord ? [...parts, record, Buffer.from(address.split('.').map(Number))] : parts)
}

/** The labels of the name, and where the question ends. */
function questionOf(query: Buffer): { readonly name: readonly string[]; readonly end: number } {
  const name: string[] = []
  let at = HEADER_BYTES
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    name.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name, end: at + 5 }
}
