/** The process: settings, sockets, recovery, signals. The only place that ends it. */
import type { Server } from 'node:http'
import type { Hono } from 'hono'
import { reasonOf } from '../errors.ts'
import { createApp } from './app.ts'
import { type Config, PATHS, readConfig } from './config.ts'
import { failForGood, type KeepTrying, keepTrying } from './keep-trying.ts'
import { close, listen } from './listen.ts'
import { takeLock } from './lock.ts'
import { type Log, openLog } from './log.ts'
import { METHODS } from './methods.ts'
import { waitUntilReady } from './readiness.ts'
import { type Running, start } from './start.ts'

/** The engine kills the plugin 10 s after it has asked it to stop. */
const STOP_GRACE_MS = 5_000

/** The name of a socket in the engine's plugin directory is the name of a driver (moby, pkg/plugins/discovery.go). */
const PLAIN_NAME_SOCKET = `${PATHS.plugins}/romana.sock`

/**
 * The socket listens before recovery: an engine that starts must not wait, and disables a plugin that is late. What keeps
 * the plugin from working, such as a wrong setting, does not keep it from listening: every call is answered with it.
 */
async function main(): Promise<void> {
  const begun = await begin()
  const log = openLog(begun.ok ? begun.config.logLevel : 'info')
  const onFailure = (error: unknown) => log.error({ err: error }, `not ready: ${reasonOf(error)}`)
  const running = begun.ok
    ? keepTrying(() => start(begun.config, log), onFailure)
    : failForGood<Running>(begun.reason, onFailure)
  const app = createApp({
    methods: METHODS,
    drivers: async () => (await waitUntilReady(running.current())).drivers,
    log,
  })
  const servers = [await listen(app, PATHS.socket)]
  if (begun.ok && begun.config.plainName) servers.push(...(await listenToPlainName(app, log)))
  process.once('SIGTERM', () => void stop(servers, running))
  process.once('SIGINT', () => void stop(servers, running))
}

type Begun = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly reason: unknown }

/** The lock comes before the plain name's socket: that belongs to the plugin that works in this namespace. */
async function begin(): Promise<Begun> {
  try {
    const config = readConfig()
    await takeLock()
    return { ok: true, config }
  } catch (reason) {
    return { ok: false, reason }
  }
}

/** Without it the driver still answers to its tagged name. */
async function listenToPlainName(app: Hono, log: Log): Promise<Server[]> {
  try {
    return [await listen(app, PLAIN_NAME_SOCKET)]
  } catch (error) {
    log.error({ err: error }, reasonOf(error))
    return []
  }
}

/** Calls under way are finished; what the kernel carries stays. */
async function stop(servers: readonly Server[], running: KeepTrying<Running>): Promise<void> {
  running.stop()
  await Promise.all(servers.map((server) => close(server, STOP_GRACE_MS)))
  await running.current().then(
    (plugin) => plugin.close(),
    () => undefined,
  )
  process.exit(0)
}

await main()
