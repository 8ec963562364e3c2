/**
 * The HTTP side of the admin API, on a socket of its own: JSON in the usual manner of the web, where a status says what
 * kind of answer it is. Errors are `{ code, message }`. A function of requests, so it needs no socket.
 */
import { setImmediate } from 'node:timers/promises'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as v from 'valibot'
import { type ErrorCode, RomanaError } from '../errors.ts'
import { parseName } from '../ipam-driver/names.ts'
import { HostNumberSchema, NetworkNameSchema } from '../store/ids.ts'
import { formatRecord } from '../store/records.ts'
import type { Admin, ReadyStatus } from './admin.ts'
import type { Log } from './log.ts'
import { addPolicies } from './policy-routes.ts'
import { asRomanaError, BODY_LIMIT_BYTES, bodyTooLarge, parseJson, unknownRequest } from './request-errors.ts'

export interface AdminAppParts {
  /** Resolves when recovery is done; rejects with what keeps the plugin from working. */
  readonly admin: () => Promise<Admin>
  readonly log: Log
}

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
  E_HOST_UNKNOWN: 404,
  E_HOST_IN_USE: 409,
  E_STORE_AWAY: 503,
  E_NOT_READY: 503,
}

/** In a path. */
const HostParam = v.pipe(v.string(), v.digits(), v.toNumber(), HostNumberSchema)
const TenantRequest = v.object({ name: v.string() })
const EndpointsQuery = v.object({ hosts: v.optional(v.picklist(['this', 'all']), 'this') })
const SegmentRequest = v.object({
  tenant: v.string(),
  name: v.string(),
  everywhere: v.optional(v.boolean(), false),
  /** With everywhere: the name of the networks. */
  network: v.optional(NetworkNameSchema),
})

export function createAdminApp({ admin, log }: AdminAppParts): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: () => answerError(bodyTooLarge()) }))
  addReading(app, admin)
  addTenants(app, admin, log)
  addSegments(app, admin, log)
  addHosts(app, admin, log)
  addPolicies(app, admin, log, answer)
  app.notFound(({ req }) => answerError(unknownRequest(`${req.method} ${req.path}`, 'request')))
  app.onError((error, { req }) => {
    const known = asRomanaError(error, `${req.method} ${req.path}`)
    log[known.code === 'E_INTERNAL' ? 'error' : 'info']({ code: known.code, err: error }, known.message)
    return answerError(known)
  })
  return app
}

type AdminOnceReady = AdminAppParts['admin']

function addReading(app: Hono, admin: AdminOnceReady): void {
  app.get('/v1/status', async () => answer(200, await statusNow(admin)))
  app.get('/v1/networks', async () => answer(200, await (await admin()).networks()))
  app.get('/v1/endpoints', async ({ req }) => {
    const { hosts } = v.parse(EndpointsQuery, req.query())
    return answer(200, await (hosts === 'all' ? (await admin()).allEndpoints() : (await admin()).endpoints()))
  })
  app.get('/v1/routes', async () => answer(200, await (await admin()).routes()))
  app.get('/v1/ports', async () => answer(200, await (await admin()).ports()))
  app.get('/v1/plan', async () => answer(200, await (await admin()).plan()))
}

function addTenants(app: Hono, admin: AdminOnceReady, log: Log): void {
  app.get('/v1/tenants', async () => answer(200, await (await admin()).tenants()))
  app.post('/v1/tenants', async ({ req }) => {
    const tenant = parseName(
      'tenant',
      v.parse(TenantRequest, parseJson('POST /v1/tenants', await req.text())).name,
    )
    const made = await (await admin()).addTenant(tenant)
    log.info({ tenant }, 'tenant added')
    return answer(201, made)
  })
  app.delete('/v1/tenants/:tenant', async ({ req }) => {
    const tenant = parseName('tenant', req.param('tenant'))
    await (await admin()).removeTenant(tenant)
    log.info({ tenant }, 'tenant removed')
    return answer(200, {})
  })
}

function addSegments(app: Hono, admin: AdminOnceReady, log: Log): void {
  app.get('/v1/segments', async () => answer(200, await (await admin()).segments()))
  app.post('/v1/segments', async ({ req }) => {
    const wish = v.parse(SegmentRequest, parseJson('POST /v1/segments', await req.text()))
    const tenant = parseName('tenant', wish.tenant)
    const segment = parseName('segment', wish.name)
    const network = wish.network ?? v.parse(NetworkNameSchema, `${tenant}-${segment}`)
    const made = wish.everywhere
      ? await (await admin()).addSegmentEverywhere(tenant, segment, network)
      : await (await admin()).addSegment(tenant, segment)
    log.info({ tenant, segment, ...(wish.everywhere ? { network } : {}) }, 'segment added')
    return answer(201, made)
  })
  app.delete('/v1/segments/:tenant/:segment', async ({ req }) => {
    const tenant = parseName('tenant', req.param('tenant'))
    const segment = parseName('segment', req.param('segment'))
    await (await admin()).removeSegment(tenant, segment)
    log.info({ tenant, segment }, 'segment removed')
    return answer(200, {})
  })
}

function addHosts(app: Hono, admin: AdminOnceReady, log: Log): void {
  app.get('/v1/hosts', async () => answer(200, await (await admin()).hosts()))
  app.delete('/v1/hosts/:number', async ({ req }) => {
    const removed = await (await admin()).removeHost(v.parse(HostParam, req.param('number')))
    log.info({ host: removed.number }, 'host removed')
    return answer(200, removed)
  })
  app.post('/v1/hosts/:number/accept', async ({ req }) => {
    const accepted = await (await admin()).acceptHost(v.parse(HostParam, req.param('number')))
    log.info({ host: accepted.number }, 'host accepted with other hardware')
    return answer(200, accepted)
  })
}

/** Answered at once, whatever the plugin is about. */
async function statusNow(admin: AdminOnceReady): Promise<ReadyStatus | NotReadyStatus> {
  const ready = admin().catch((error: unknown) => asRomanaError(error, 'GET /v1/status'))
  const now = await Promise.race([ready, setImmediate(undefined)])
  if (now === undefined) return { ready: false, reason: 'The plugin recovers what this host has' }
  return now instanceof RomanaError ? { ready: false, reason: now.message } : now.status()
}

interface NotReadyStatus {
  readonly ready: false
  readonly reason: string
}

function answerError(error: RomanaError): Response {
  return answer(STATUS[error.code] ?? 500, { code: error.code, message: error.message })
}

function answer(status: number, body: object): Response {
  return new Response(formatRecord(body), { status, headers: { 'content-type': 'application/json' } })
}
