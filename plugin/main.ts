/** The process: settings, sockets, recovery, signals. The only place that ends it. */
import type { Server } from 'node:http'
import type { Hono } from 'hono'
import { reasonOf } from '../errors.ts'
import { createApp } from './app.ts'
import { type Config, PATHS, readConfig } from './config.ts'
import { close, listen } from './listen.ts'
import { type Log, openLog } from './log.ts'
import { METHODS } from './methods.ts'
import { waitUntilReady } from './readiness.ts'
import { type Running, start } from './start.ts'

/** The engine kills the plugin 10 s after it has asked it to stop. */
const STOP_GRACE_MS = 5_000

/** The name of a socket in the engine's plugin directory is the name of a driver (moby, pkg/plugins/discovery.go). */
const PLAIN_NAME_SOCKET = `${PATHS.plugins}/romana.sock`

/**
 * The socket listens before recovery: an engine that starts must not wait, and disables a plugin that is late. Settings
 * that cannot be used do not keep it from listening either: every call is answered with what is wrong with them.
 */
async function main(): Promise<void> {
  const config = tryReadConfig()
  const log = openLog(config.ok ? config.value.logLevel : 'info')
  const running = config.ok ? start(config.value, log) : Promise.reject<Running>(config.error)
  running.catch((error: unknown) => log.error({ err: error }, `not ready: ${reasonOf(error)}`))
  const app = createApp({
    methods: METHODS,
    drivers: async () => (await waitUntilReady(running)).drivers,
    log,
  })
  const servers = [await listen(app, PATHS.socket)]
  if (!config.ok || config.value.plainName) servers.push(...(await listenToPlainName(app, log)))
  process.once('SIGTERM', () => void stop(servers, running))
  process.once('SIGINT', () => void stop(servers, running))
}

type ConfigResult =
  | { readonly ok: true; readonly value: Config }
  | { readonly ok: false; readonly error: unknown }

function tryReadConfig(): ConfigResult {
  try {
    return { ok: true, value: readConfig() }
  } catch (error) {
    return { ok: false, error }
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
async function stop(servers: readonly Server[], running: Promise<Running>): Promise<void> {
  await Promise.all(servers.map((server) => close(server, STOP_GRACE_MS)))
  await running.then(
    (plugin) => plugin.close(),
    () => undefined,
  )
  process.exit(0)
}

await main()
