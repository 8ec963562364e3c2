import { describe, expect, it } from 'vitest'
import { type AdminHost, startAdmin } from './admin-steps.ts'

const ISOLATED = {
  name: 'isolated',
  direction: 'ingress',
  appliesTo: [{ tenant: 'blue', segment: 'db' }],
  default: 'deny',
  peers: [{ tenant: 'blue', segment: 'web' }],
  rules: [{ protocol: 'tcp', ports: [5432] }],
}

async function startWithSegments(): Promise<AdminHost> {
  const host = await startAdmin()
  for (const name of ['web', 'db']) await host.ask('POST /v1/segments', { tenant: 'blue', name })
  return host
}

describe('policies', () => {
  it('are applied, listed, shown and removed', async () => {
    await using host = await startWithSegments()
    expect(await host.ask('POST /v1/policies', { policies: [ISOLATED] })).toEqual({
      status: 200,
      body: { created: ['isolated'], changed: [], unchanged: [] },
    })
    expect((await host.ask('GET /v1/policies')).body).toEqual([ISOLATED])
    expect((await host.ask('GET /v1/policies/isolated')).body).toEqual(ISOLATED)
    const other = { ...ISOLATED, name: 'other' }
    const again = { policies: [{ ...ISOLATED, rules: [{ protocol: 'tcp' }] }, other] }
    expect((await host.ask('POST /v1/policies?check', again)).body).toEqual({
      created: ['other'],
      changed: ['isolated'],
      unchanged: [],
    })
    expect((await host.ask('GET /v1/policies')).body).toEqual([ISOLATED])
    await host.ask('POST /v1/policies', again)
    expect((await host.ask('POST /v1/policies', again)).body).toEqual({
      created: [],
      changed: [],
      unchanged: ['isolated', 'other'],
    })
    expect(await host.ask('DELETE /v1/policies/other')).toEqual({ status: 200, body: {} })
    expect((await host.ask('GET /v1/policies')).body).toHaveLength(1)
    expect((await host.ask('DELETE /v1/policies/other')).body).toEqual({
      code: 'E_POLICY_UNKNOWN',
      message:
        'Cannot find the policy "other": there is none of this name. The names are in: romana policy list (E_POLICY_UNKNOWN)',
    })
  })

  it('that are wrong are refused as a whole', async () => {
    await using host = await startWithSegments()
    const wrong = { ...ISOLATED, name: 'wrong', appliesTo: [{ tenant: 'green' }] }
    expect(await host.ask('POST /v1/policies', { policies: [ISOLATED, wrong] })).toEqual({
      status: 400,
      body: {
        code: 'E_POLICY',
        message:
          'Cannot use the policies: policies[1].appliesTo[0].tenant: there is no tenant "green": romana tenant add green. Nothing was changed: correct the document. docs/policies.md has its form (E_POLICY)',
      },
    })
    expect((await host.ask('GET /v1/policies')).body).toEqual([])
  })

  it('keep the tenants and segments that they name', async () => {
    await using host = await startWithSegments()
    await host.ask('POST /v1/tenants', { name: 'green' })
    const ofTenant = { ...ISOLATED, name: 'tenant', appliesTo: [{ tenant: 'green' }] }
    await host.ask('POST /v1/policies', { policies: [ISOLATED, ofTenant] })
    expect(await host.ask('DELETE /v1/segments/blue/web')).toEqual({
      status: 409,
      body: {
        code: 'E_SEGMENT_IN_USE',
        message:
          'Cannot remove segment "web" of tenant "blue": the policy "isolated" names it. Change the policy, or remove it: romana policy remove isolated (E_SEGMENT_IN_USE)',
      },
    })
    expect((await host.ask('DELETE /v1/tenants/green')).status).toBe(409)
    for (const name of ['isolated', 'tenant']) await host.ask(`DELETE /v1/policies/${name}`)
    expect((await host.ask('DELETE /v1/segments/blue/web')).status).toBe(200)
    expect((await host.ask('DELETE /v1/tenants/green')).status).toBe(200)
  })

  it('can be a thousand at once', async () => {
    await using host = await startWithSegments()
    const policies = Array.from({ length: 1_000 }, (_, index) => ({ ...ISOLATED, name: `p${index}` }))
    expect((await host.ask('POST /v1/policies', { policies })).body).toMatchObject({
      changed: [],
      unchanged: [],
    })
    expect((await host.ask('GET /v1/policies')).body).toHaveLength(1_000)
  })
})
