/**
 * The HTTP side of the admin API, on a socket of its own: what people ask of the running plugin. JSON in the usual manner of
 * the web, where a status says what kind of answer it is. Errors are `{ code, message }`. A function of requests, so it needs no socket.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ErrorCode, RomanaError } from '../../errors.ts'
import { asRomanaError, BODY_LIMIT_BYTES, bodyTooLarge, unknownRequest } from '../request-errors.ts'
import { addEndpoints } from './endpoints.ts'
import { addHosts } from './hosts.ts'
import { addNetworks } from './networks.ts'
import { addPolicies } from './policies.ts'
import { addPorts } from './ports.ts'
import { answer, type Routing } from './routing.ts'
import { addSegments } from './segments.ts'
import { addStatus } from './status.ts'
import { addTenants } from './tenants.ts'

/** What is not here is 500: the plugin's own trouble, not the request's. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  E_REQUEST: 400,
  E_NAME: 400,
  E_METHOD: 404,
  E_POLICY: 400,
  E_POLICY_UNKNOWN: 404,
  E_SEGMENT_UNKNOWN: 404,
  E_SEGMENT_EXISTS: 409,
  E_SEGMENT_IN_USE: 409,
  E_TENANTS_FULL: 409,
  E_CONFLICT: 409,
  E_NETWORK_UNKNOWN: 404,
  E_NETWORK_IN_USE: 409,
  E_HOST_UNKNOWN: 404,
  E_HOST_IN_USE: 409,
  E_STORE_AWAY: 503,
  E_NOT_READY: 503,
}

/** Besides what the subjects say, every request can fail with RomanaError E_STORE and E_RECORD. */
const SUBJECTS = [
  addStatus,
  addTenants,
  addSegments,
  addHosts,
  addNetworks,
  addEndpoints,
  addPorts,
  addPolicies,
]

export function createAdminApp({ parts, log }: Omit<Routing, 'app'>): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: () => answerError(bodyTooLarge()) }))
  for (const addSubject of SUBJECTS) addSubject({ app, parts, log })
  app.notFound(({ req }) => answerError(unknownRequest(`${req.method} ${req.path}`, 'request')))
  app.onError((error, { req }) => {
    const known = asRomanaError(error, `${req.method} ${req.path}`)
    log[known.code === 'E_INTERNAL' ? 'error' : 'info']({ code: known.code, err: error }, known.message)
    return answerError(known)
  })
  return app
}

function answerError(error: RomanaError): Response {
  return answer(STATUS[error.code] ?? 500, { code: error.code, message: error.message })
}
