/** Tenants of the cluster. */
import * as v from 'valibot'
import { parseName } from '../../ipam-driver/names.ts'
import { listSegments } from '../../ipam-driver/segments.ts'
import { addTenant, listTenants, removeTenant } from '../../ipam-driver/tenants.ts'
import type { TenantRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { parseJson } from '../request-errors.ts'
import { answer, directoryOf, type Routing } from './routing.ts'

interface TenantView extends TenantRecord {
  /** How many it has. */
  readonly segments: number
}

const TenantRequest = v.object({ name: v.string() })

export function addTenants({ app, parts, log }: Routing): void {
  app.get('/v1/tenants', async () => answer(200, await tenantViews(directoryOf(await parts()))))
  app.post('/v1/tenants', async ({ req }) => {
    const request = v.parse(TenantRequest, parseJson('POST /v1/tenants', await req.text()))
    const tenant = parseName('tenant', request.name)
    const made: TenantView = { ...(await addTenant((await parts()).ipam.segments, tenant)), segments: 0 }
    log.info({ tenant }, 'tenant added')
    return answer(201, made)
  })
  app.delete('/v1/tenants/:tenant', async ({ req }) => {
    const tenant = parseName('tenant', req.param('tenant'))
    await removeTenant(directoryOf(await parts()), tenant)
    log.info({ tenant }, 'tenant removed')
    return answer(200, {})
  })
}

async function tenantViews(directory: Store): Promise<TenantView[]> {
  const segments = await listSegments(directory)
  return (await listTenants(directory)).map((tenant) => ({
    ...tenant,
    segments: segments.filter((segment) => segment.tenant === tenant.name).length,
  }))
}
