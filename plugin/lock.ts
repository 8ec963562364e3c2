/** One Romana in a network namespace: two would each take the other's routes and rules for stale ones. */
import { createServer, type Server } from 'node:net'
import { RomanaError, reasonOf } from '../errors.ts'

/** A name in the abstract space of Unix sockets, which belongs to the network namespace and ends with its holder. */
const LOCK_NAME = '\0romana.network-namespace'

/** Holds the lock until the process ends, or the server is closed. @throws RomanaError E_LOCKED when another process has it. */
export function takeLock(): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(lockedError(cause)))
    server.listen(LOCK_NAME, () => resolve(server))
  })
}

function lockedError(cause: unknown): RomanaError {
  return new RomanaError('E_LOCKED', {
    cannot: 'work in this network namespace',
    because: `another Romana plugin does (${reasonOf(cause)})`,
    remedy: 'Disable one of the two',
    cause,
  })
}
