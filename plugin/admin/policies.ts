/** Policies of the cluster. */
import * as v from 'valibot'
import {
  applyPolicies,
  checkPolicies,
  getPolicy,
  listPolicies,
  removePolicy,
} from '../../cluster/policies.ts'
import { policyView } from '../../cluster/policy-view.ts'
import { PolicyNameSchema } from '../../store/ids.ts'
import { parseJson } from '../request-errors.ts'
import { answer, directoryOf, type Routing } from './routing.ts'

export function addPolicies({ app, parts, log }: Routing): void {
  app.get('/v1/policies', async () => {
    const policies = await listPolicies(directoryOf(await parts()))
    return answer(200, policies.map(policyView))
  })
  app.get('/v1/policies/:policy', async ({ req }) => {
    const policy = v.parse(PolicyNameSchema, req.param('policy'))
    return answer(200, policyView((await getPolicy(directoryOf(await parts()), policy)).record))
  })
  app.post('/v1/policies', async ({ req }) => {
    const isCheck = req.query('check') !== undefined
    const document = parseJson('POST /v1/policies', await req.text())
    const applied = await (isCheck ? checkPolicies : applyPolicies)(directoryOf(await parts()), document)
    if (!isCheck) log.info(applied, 'policies applied')
    return answer(200, applied)
  })
  app.delete('/v1/policies/:policy', async ({ req }) => {
    const policy = v.parse(PolicyNameSchema, req.param('policy'))
    await removePolicy(directoryOf(await parts()), policy)
    log.info({ policy }, 'policy removed')
    return answer(200, {})
  })
}
