/** The Unix sockets that the engine calls. */
import { mkdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { RomanaError, reasonOf } from '../errors.ts'

/**
 * The engine keeps connections open for ever, and sends a request on a connection that was closed meanwhile again
 * without its body. So no connection is ever closed from this side.
 */
const SERVER_OPTIONS = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }

/** Engines before 24.0.5 send an empty Host header, which is no URL; nobody needs it. */
const HOST_NAME = 'romana.invalid'

/** How soon a connection whose call is answered is noticed at the end. */
const IDLE_CHECK_MS = 20

/** Listens on a socket of its own, readable for root only. A stale file of that name is removed. @throws RomanaError E_HOST */
export async function listen(app: Hono, path: string): Promise<Server> {
  const listener = getRequestListener(app.fetch, { hostname: HOST_NAME })
  const server = createServer(SERVER_OPTIONS, (incoming, outgoing) => {
    incoming.headers.host = HOST_NAME
    void listener(incoming, outgoing)
  })
  try {
    await mkdir(dirname(path), { recursive: true })
    await rm(path, { force: true })
    await bind(server, path)
  } catch (cause) {
    throw new RomanaError('E_HOST', { cannot: `listen on ${path}`, because: reasonOf(cause), cause })
  }
  return server
}

/** The mask keeps the socket from being anybody's for the moment before a chmod. */
async function bind(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(mask)
  }
}

/** Stops listening, removes the socket and waits for the calls under way, `graceMs` at most. */
export async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // A connection becomes idle when its call is answered.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  const late = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
