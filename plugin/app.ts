/** The HTTP side of both drivers: a table of methods and one error boundary. A function of requests, so it needs no socket. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as v from 'valibot'
import { RomanaError, reasonOf } from '../errors.ts'
import type { Log } from './log.ts'
import type { Drivers, Method } from './methods.ts'

export interface AppParts {
  readonly methods: Readonly<Record<string, Method>>
  /** Resolves when recovery is done; rejects with what keeps the plugin from working. */
  readonly drivers: () => Promise<Drivers>
  readonly log: Log
}

/** The engine's requests have a few hundred bytes. */
const BODY_LIMIT_BYTES = 1024 * 1024

/** The media type of the protocol (moby, pkg/plugins/transport). The engine does not look at it. */
const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.2+json'

export function createApp({ methods, drivers, log }: AppParts): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: () => answerError(bodyTooLarge()) }))
  for (const [name, method] of Object.entries(methods)) {
    app.post(`/${name}`, async (context) => {
      const startedMs = performance.now()
      const answer = await answerMethod(name, method, () => context.req.text(), drivers)
      log.debug({ method: name, ms: Math.round((performance.now() - startedMs) * 1000) / 1000 }, 'answered')
      return answerJson(200, answer)
    })
  }
  app.notFound((context) => answerError(unknownMethod(context.req.path)))
  app.onError((error, context) => {
    const known = asRomanaError(error, context.req.path)
    const level = known.code === 'E_INTERNAL' ? 'error' : 'warn'
    log[level]({ method: context.req.path.slice(1), code: known.code, err: error }, known.message)
    return answerError(known)
  })
  return app
}

async function answerMethod(
  name: string,
  method: Method,
  readBody: () => Promise<string>,
  drivers: () => Promise<Drivers>,
): Promise<object> {
  if (method.kind === 'constant') return method.answer
  const body = parseBody(name, await readBody())
  return method.call(await drivers(), body)
}

/**
 * The engine sends no content type, so the text is parsed here. When a connection breaks, it sends the request again
 * with an empty body (moby, pkg/plugins/client.go): to answer that with success would be to promise what was never asked.
 */
function parseBody(name: string, text: string): unknown {
  if (text.trim() === '')
    throw requestError(name, 'the body is empty: the engine has sent the call a second time', undefined)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw requestError(name, reasonOf(cause), cause)
  }
}

function asRomanaError(error: Error, path: string): RomanaError {
  if (error instanceof RomanaError) return error
  if (error instanceof v.ValiError) return requestError(path.slice(1), describeIssues(error), error)
  return new RomanaError('E_INTERNAL', {
    cannot: `answer ${path.slice(1)}`,
    because: reasonOf(error),
    remedy: 'Please report it with the log of the plugin',
    cause: error,
  })
}

function describeIssues({ issues }: v.ValiError<v.GenericSchema>): string {
  return issues.map((issue) => `"${v.getDotPath(issue) ?? 'the body'}": ${issue.message}`).join('; ')
}

function requestError(name: string, because: string, cause: unknown): RomanaError {
  return new RomanaError('E_REQUEST', { cannot: `answer ${name}`, because, cause })
}

function bodyTooLarge(): RomanaError {
  return requestError('the request', `its body has more than ${BODY_LIMIT_BYTES} bytes`, undefined)
}

function unknownMethod(path: string): RomanaError {
  return new RomanaError('E_METHOD', {
    cannot: `answer ${path.slice(1)}`,
    because: 'Romana has no such method',
  })
}

/** Network drivers report errors in "Err", IPAM drivers in "Error" (moby, libnetwork/drivers/remote and ipams/remote). */
function answerError(error: RomanaError): Response {
  return answerJson(error.status, { Err: error.message, Error: error.message })
}

function answerJson(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': CONTENT_TYPE } })
}
