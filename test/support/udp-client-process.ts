/** Run where the caller is: `node udp-client-process.ts HOST PORT`. Sends from one port every 50 ms, and prints each answer. */
import { createSocket } from 'node:dgram'

const PERIOD_MS = 50

const [, , host = '', port] = process.argv
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
// Nobody may be there for a while.
socket.on('error', () => undefined)
socket.on('message', (answer) => process.stdout.write(answer))
socket.bind(0, () => setInterval(() => socket.send('who', Number(port), host), PERIOD_MS))
