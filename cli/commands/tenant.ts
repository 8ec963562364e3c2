/** `romana tenant list|add|remove`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson } from '../output.ts'

const Tenant = v.object({ name: v.string(), number: v.number(), segments: v.number() })
const NAME = { type: 'positional', description: 'The name of the tenant', required: true } as const

export const tenantListCommand = makeCommand(
  { name: 'tenant list', description: 'Show the tenants and their numbers' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const tenants = await ask(socket, { method: 'GET', path: '/v1/tenants' }, v.array(Tenant))
    const rows = tenants.map(({ name, number, segments }) => [name, number, segments])
    const text = formatColumns(['TENANT', 'NUMBER', 'SEGMENTS'], rows)
    return { exitCode: 0, text: json ? formatJson(tenants) : text }
  },
)

export const tenantAddCommand = makeCommand(
  { name: 'tenant add', description: 'Make a tenant' },
  { tenant: NAME, ...ADMIN_ARGS },
  async ({ tenant: name, socket, json }) => {
    const tenant = await ask(socket, { method: 'POST', path: '/v1/tenants', body: { name } }, Tenant)
    const text = `Tenant ${tenant.name} has number ${tenant.number}\n`
    return { exitCode: 0, text: json ? formatJson(tenant) : text }
  },
)

export const tenantRemoveCommand = makeCommand(
  { name: 'tenant remove', description: 'Remove a tenant that has no segments' },
  { tenant: NAME, ...ADMIN_ARGS },
  async ({ tenant, socket, json }) => {
    const path = `/v1/tenants/${encodeURIComponent(tenant)}`
    const answer = await ask(socket, { method: 'DELETE', path }, v.object({}))
    return { exitCode: 0, text: json ? formatJson(answer) : `Removed tenant ${tenant}\n` }
  },
)
