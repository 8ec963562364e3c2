/**
 * A second socket of the plugin that takes the time of each call from outside: it passes on every byte and knows nothing of
 * the plugin. The engine takes it for a driver of its own, named after the file.
 */

import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

/** One call of the engine. */
export interface Call {
  /** Such as "NetworkDriver.Join". */
  readonly method: string
  /** Milliseconds from the last byte of the request passed on to the last byte of the answer received. */
  readonly ms: number
}

/** A socket that measures. */
export interface MeasuredSocket extends AsyncDisposable {
  /** All calls so far, in the order of their answers. */
  readonly calls: readonly Call[]
}

/** Listens at `path` and passes on to the socket `target`. */
export async function openMeasuredSocket(path: string, target: string): Promise<MeasuredSocket> {
  const calls: Timed[] = []
  const server = createServer((engine) => passOn(engine, connect(target), calls))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    calls,
    async [Symbol.asyncDispose]() {
      server.close()
      rmSync(path, { force: true })
    },
  }
}

interface Timed {
  method: string
  sentMs: number
  ms: number
}

/** HTTP sends one request at a time on a connection, so what comes back belongs to the last one. */
function passOn(engine: Socket, plugin: Socket, calls: Timed[]): void {
  let last: Timed | undefined
  engine.on('data', (chunk) => {
    const [, method] = /^POST \/(\S+) HTTP/.exec(chunk.toString('latin1', 0, 100)) ?? []
    if (method !== undefined) last = { method, sentMs: 0, ms: Number.NaN }
    if (last !== undefined) last.sentMs = performance.now()
    plugin.write(chunk)
  })
  plugin.on('data', (chunk) => {
    if (last !== undefined) {
      if (Number.isNaN(last.ms)) calls.push(last)
      last.ms = performance.now() - last.sentMs
    }
    engine.write(chunk)
  })
  for (const [from, to] of [
    [engine, plugin],
    [plugin, engine],
  ] as const) {
    from.on('error', () => to.destroy())
    from.on('close', () => to.end())
  }
}
