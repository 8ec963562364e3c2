/** The process: settings, sockets, recovery, signals. The only place that ends it. */
import type { Server } from 'node:http'
import type { Hono } from 'hono'
import { reasonOf } from '../errors.ts'
import { createAdminApp } from './admin/app.ts'
import { createApp } from './app.ts'
import { type Config, PATHS, readConfig } from './config.ts'
import { PLAIN_NAME, TAGGED_NAME } from './driver-names.ts'
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
const PLAIN_NAME_SOCKET = `${PATHS.plugins}/${PLAIN_NAME}.sock`

/**
 * The socket listens before recovery: an engine that starts must not wait, and disables a plugin that is late. What keeps
 * the plugin from working, such as a wrong setting, does not keep it from listening: every call is answered with it.
 */
async function main(): Promise<void> {
  const begun = await begin()
  const log = openLog(begun.config?.logLevel ?? 'info')
  const onFailure = (error: unknown) => log.error({ err: error }, `not ready: ${reasonOf(error)}`)
  const { config } = begun
  const running =
    config === undefined
      ? failForGood<Running>(begun.reason, onFailure)
      : keepTrying(() => start(config, log), onFailure)
  const servers = await serve(begun, running, log)
  // Not once: where nobody else listens any more, execa's own listener ends the process on the spot.
  process.on('SIGTERM', () => void stop(servers, running))
  process.on('SIGINT', () => void stop(servers, running))
}

interface Begun {
  /** This is the plugin that works in this namespace. */
  readonly hasLock: boolean
  readonly config?: Config
  /** Why there is no config. */
  readonly reason?: unknown
}

async function begin(): Promise<Begun> {
  let hasLock = false
  try {
    await takeLock()
    hasLock = true
    return { hasLock, config: readConfig() }
  } catch (reason) {
    return { hasLock, reason }
  }
}

/** The plain name's socket and that of the admin API belong to the plugin that works in this namespace. */
async function serve(begun: Begun, running: KeepTrying<Running>, log: Log): Promise<Server[]> {
  const ready = () => waitUntilReady(running.current())
  const drivers = async () => (await ready()).drivers()
  const appFor = (driverName: string) => createApp({ methods: METHODS, drivers, log, driverName })
  const servers = [await listen(appFor(TAGGED_NAME), PATHS.socket)]
  if (begun.config?.plainName === true)
    servers.push(...(await listenIfPossible(appFor(PLAIN_NAME), PLAIN_NAME_SOCKET, log)))
  if (begun.hasLock) {
    const adminApp = createAdminApp({ parts: async () => (await ready()).admin, log })
    servers.push(...(await listenIfPossible(adminApp, PATHS.adminSocket, log)))
  }
  return servers
}

/** Without them the driver still answers to its tagged name. */
async function listenIfPossible(app: Hono, path: string, log: Log): Promise<Server[]> {
  try {
    return [await listen(app, path)]
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
