/** `romana routes export`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { makeCommand, UsageError } from '../command.ts'
import { formatJson } from '../output.ts'
import { ROUTE_FORMATS } from '../route-formats.ts'

const Route = v.object({ host: v.number(), name: v.string(), prefix: v.string(), via: v.string() })
const FORMATS = ['ip', 'frr', 'bird', 'json'] as const
const Format = v.picklist(FORMATS)

export const routesExportCommand = makeCommand(
  { name: 'routes export', description: 'Print what a router needs: one static route for each host' },
  {
    format: { type: 'string', description: FORMATS.join(', '), default: 'ip' },
    ...ADMIN_ARGS,
  },
  async ({ format: wanted, socket, json }) => {
    const format = v.safeParse(Format, json ? 'json' : wanted)
    if (!format.success) throw new UsageError(`--format is one of ${FORMATS.join(', ')}`)
    const routes = await ask(socket, { method: 'GET', path: '/v1/routes' }, v.array(Route))
    const text = format.output === 'json' ? formatJson(routes) : ROUTE_FORMATS[format.output](routes)
    return { exitCode: 0, text }
  },
)
