/** The HTTP side of both drivers: a table of methods and one error boundary. A function of requests, so it needs no socket. */
import { Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type RomanaError, reasonOf } from '../errors.ts'
import type { Log } from './log.ts'
import type { Drivers, Method } from './methods.ts'
import {
  asRomanaError,
  BODY_LIMIT_BYTES,
  bodyTooLarge,
  parseJson,
  requestError,
  unknownRequest,
} from './request-errors.ts'

export interface AppParts {
  readonly methods: Readonly<Record<string, Method>>
  /** Resolves when recovery is done; rejects with what keeps the plugin from working. */
  readonly drivers: () => Promise<Drivers>
  readonly log: Log
  /** The name of the driver whose socket this is. */
  readonly driverName: string
}

/** The media type of the protocol (moby, pkg/plugins/transport). The engine does not look at it. */
const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.2+json'

export function createApp({ methods, drivers, log, driverName }: AppParts): Hono {
  const app = new Hono()
  const measureBody = bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: ({ req }) => refuseBody(req) })
  // To measure a body costs more than all else of a call. Node lets none be longer than its content-length.
  app.use((context, next) => (hasShortBody(context.req) ? next() : measureBody(context, next)))
  for (const [name, method] of Object.entries(methods)) {
    app.post(`/${name}`, async (context) => {
      const startedMs = performance.now()
      const answer = await answerMethod(name, method, () => context.req.text(), { drivers, driverName })
      log.debug({ method: name, ms: Math.round((performance.now() - startedMs) * 1000) / 1000 }, 'answered')
      return answerJson(200, answer)
    })
  }
  app.notFound((context) => answerError(unknownRequest(context.req.path.slice(1), 'method')))
  app.onError((error, context) => {
    const known = asRomanaError(error, context.req.path.slice(1))
    const level = known.code === 'E_INTERNAL' ? 'error' : 'warn'
    log[level]({ method: context.req.path.slice(1), code: known.code, err: error }, known.message)
    return answerError(known)
  })
  return app
}

/** Whether the head of the request says that its body is within the limit. */
function hasShortBody(request: HonoRequest): boolean {
  const length = request.header('content-length')
  return length !== undefined && Number(length) <= BODY_LIMIT_BYTES && !request.header('transfer-encoding')
}

function refuseCutOff(name: string, cause: unknown): never {
  throw requestError(name, `the connection ended within the body: ${reasonOf(cause)}`, cause)
}

/** What is left of the body is read: a connection that is closed under a sender can take the answer with it. */
async function refuseBody({ raw: { body } }: HonoRequest): Promise<Response> {
  if (body !== null && !body.locked) await body.pipeTo(new WritableStream())
  return answerError(bodyTooLarge())
}

async function answerMethod(
  name: string,
  method: Method,
  readBody: () => Promise<string>,
  { drivers, driverName }: Pick<AppParts, 'drivers' | 'driverName'>,
): Promise<object> {
  if (method.kind === 'constant') return method.answer
  const body = parseBody(name, await readBody().catch((cause) => refuseCutOff(name, cause)))
  return method.call(await drivers(), body, driverName)
}

/**
 * The engine sends no content type, so the text is parsed here. When a connection breaks, it sends the request again
 * with an empty body (moby, pkg/plugins/client.go): to answer that with success would be to promise what was never asked.
 */
function parseBody(name: string, text: string): unknown {
  if (text.trim() === '')
    throw requestError(name, 'the body is empty: the engine has sent the call a second time')
  return parseJson(name, text)
}

/** Network drivers report errors in "Err", IPAM drivers in "Error" (moby, libnetwork/drivers/remote and ipams/remote). */
function answerError(error: RomanaError): Response {
  return answerJson(error.status, { Err: error.message, Error: error.message })
}

function answerJson(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': CONTENT_TYPE } })
}
