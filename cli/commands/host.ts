/** `romana host list|remove|accept`. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns } from '../columns.ts'
import { makeCommand, UsageError } from '../command.ts'
import { formatJson } from '../output.ts'

const Host = v.object({
  number: v.number(),
  name: v.string(),
  state: v.picklist(['alive', 'away', 'removed']),
  underlay: v.optional(v.object({ address: v.string(), linkAddress: v.optional(v.string()) })),
  machineId: v.string(),
  instanceId: v.string(),
})
const Changed = v.object({ number: v.number(), name: v.string() })
const NUMBER = { type: 'positional', description: 'The number of the host', required: true } as const

export const hostListCommand = makeCommand(
  { name: 'host list', description: 'Show the hosts of the cluster, and which of them are alive' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const hosts = await ask(socket, { method: 'GET', path: '/v1/hosts' }, v.array(Host))
    const rows = hosts.map(({ number, name, underlay, state, machineId }) => [
      ...[number, name, underlay?.address ?? '-', state],
      machineId,
    ])
    const text = formatColumns(['NUMBER', 'NAME', 'ADDRESS', 'STATE', 'MACHINE'], rows)
    return { exitCode: 0, text: json ? formatJson(hosts) : text }
  },
)

export const hostRemoveCommand = makeCommand(
  { name: 'host remove', description: 'Let the others forget a host that is gone; its number rests' },
  { host: NUMBER, ...ADMIN_ARGS },
  async ({ host, socket, json }) => {
    const path = `/v1/hosts/${numberOf(host)}`
    const removed = await ask(socket, { method: 'DELETE', path }, Changed)
    const text = `Removed host ${removed.number} (${removed.name})\n`
    return { exitCode: 0, text: json ? formatJson(removed) : text }
  },
)

export const hostAcceptCommand = makeCommand(
  { name: 'host accept', description: 'Take the next machine with the machine id of a host for that host' },
  { host: NUMBER, ...ADMIN_ARGS },
  async ({ host, socket, json }) => {
    const path = `/v1/hosts/${numberOf(host)}/accept`
    const accepted = await ask(socket, { method: 'POST', path }, Changed)
    const text = `The next machine with the machine id of host ${accepted.number} (${accepted.name}) is that host\n`
    return { exitCode: 0, text: json ? formatJson(accepted) : text }
  },
)

function numberOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`"${text}" is not the number of a host`)
  return Number(text)
}
