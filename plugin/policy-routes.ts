/** The requests of the admin API that concern policies. */
import type { Hono } from 'hono'
import * as v from 'valibot'
import { PolicyNameSchema } from '../store/ids.ts'
import type { Admin } from './admin.ts'
import type { Log } from './log.ts'
import { parseJson } from './request-errors.ts'

/** @param answer makes the response of a status and a body. */
export function addPolicies(
  app: Hono,
  admin: () => Promise<Admin>,
  log: Log,
  answer: (status: number, body: object) => Response,
): void {
  app.get('/v1/policies', async () => answer(200, await (await admin()).policies()))
  app.get('/v1/policies/:policy', async ({ req }) =>
    answer(200, await (await admin()).policy(v.parse(PolicyNameSchema, req.param('policy')))),
  )
  app.post('/v1/policies', async ({ req }) => {
    const isCheck = req.query('check') !== undefined
    const applied = await (await admin()).applyPolicies(
      parseJson('POST /v1/policies', await req.text()),
      isCheck,
    )
    if (!isCheck) log.info(applied, 'policies applied')
    return answer(200, applied)
  })
  app.delete('/v1/policies/:policy', async ({ req }) => {
    const policy = v.parse(PolicyNameSchema, req.param('policy'))
    await (await admin()).removePolicy(policy)
    log.info({ policy }, 'policy removed')
    return answer(200, {})
  })
}
