/** Two ways to bring a request to the app, and one app to bring it to. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Hono } from 'hono'
import { pino } from 'pino'
import { createApp } from '../../plugin/app.ts'
import type { Log } from '../../plugin/log.ts'
import { type Drivers, METHODS, type Method } from '../../plugin/methods.ts'
import { fieldOf } from '../contract/docker-answers.ts'

/** What the engine sends: no content type. */
export interface PluginRequest {
  readonly path: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface PluginAnswer {
  readonly status: number
  /** Parsed, or the text when it is no JSON. */
  readonly body: unknown
}

/** "400 Cannot ... (E_REQUEST)": an answer that says the same in both fields, for network and IPAM drivers; else its JSON. */
export function errorText({ status, body }: PluginAnswer): string {
  const error = fieldOf(body, 'Error')
  return fieldOf(body, 'Err') === error && typeof error === 'string'
    ? `${status} ${error}`
    : `${status} ${JSON.stringify(body)}`
}

export type Send = (request: PluginRequest) => Promise<PluginAnswer>

/** A log that is kept: one object a line. */
export function keepLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  return { log: pino({ level: 'debug', base: null }, { write }), lines }
}

export function makeApp(
  drivers: () => Promise<Drivers>,
  methods: Readonly<Record<string, Method>> = METHODS,
  log: Log = keepLog().log,
): Hono {
  return createApp({ methods, drivers, log, driverName: 'romana' })
}

/** Calls the app as a function. */
export function sendTo(app: Hono): Send {
  return async ({ path, method = 'POST', body, headers = {} }) => {
    const response = await app.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: bytesOf(body) }),
    })
    return { status: response.status, body: parsed(await response.text()) }
  }
}

/** As bytes: a text would be given a content type. */
function bytesOf(body: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(body)
}

/** One connection at most, kept open, as the engine does. */
export function keepAliveAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 })
}

/** Calls through a socket, with an empty Host header as engines before 24.0.5. */
export function sendThrough(socketPath: string, agent: Agent = keepAliveAgent()): Send {
  return ({ path, method = 'POST', body = '', headers = {} }) =>
    new Promise((resolve, reject) => {
      const options = { socketPath, path, method, agent, setHost: false }
      const contentLength = String(Buffer.byteLength(body))
      const sent = request({ ...options, headers: { host: '', 'content-length': contentLength, ...headers } })
      sent.once('response', (response) => resolve(readAnswer(response)))
      sent.once('error', reject)
      sent.end(body)
    })
}

async function readAnswer(response: IncomingMessage): Promise<PluginAnswer> {
  return { status: response.statusCode ?? 0, body: parsed(await text(response)) }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
