/** `romana policy apply|list|show|remove`. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { RomanaError, reasonOf } from '../../errors.ts'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson } from '../output.ts'

const Applied = v.object({
  created: v.array(v.string()),
  changed: v.array(v.string()),
  unchanged: v.array(v.string()),
})
const Party = v.object({ tenant: v.string(), segment: v.optional(v.string()) })
const Policy = v.looseObject({
  name: v.string(),
  direction: v.string(),
  appliesTo: v.array(Party),
  default: v.optional(v.string()),
  peers: v.optional(v.array(v.looseObject({})), []),
})
const NAME = { type: 'positional', description: 'The name of the policy', required: true } as const

export const policyApplyCommand = makeCommand(
  { name: 'policy apply', description: 'Make and replace the policies of a document; others stay' },
  {
    file: { type: 'positional', description: 'The document; - for standard input', required: true },
    check: { type: 'boolean', description: 'Only say what would be done', default: false },
    ...ADMIN_ARGS,
  },
  async ({ file, check, socket, json }) => {
    const body = await readDocument(file)
    const path = check ? '/v1/policies?check' : '/v1/policies'
    const applied = await ask(socket, { method: 'POST', path, body }, Applied)
    const lines = Object.entries(applied).flatMap(([what, names]) =>
      names.map((name) => `${check && what !== 'unchanged' ? `would be ${what}` : what}  ${name}\n`),
    )
    return { exitCode: 0, text: json ? formatJson(applied) : lines.join('') }
  },
)

export const policyListCommand = makeCommand(
  { name: 'policy list', description: 'Show the policies and what they apply to' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const policies = await ask(socket, { method: 'GET', path: '/v1/policies' }, v.array(Policy))
    const rows = policies.map(({ name, direction, default: otherwise = '-', appliesTo, peers }) => [
      ...[name, direction, otherwise, String(peers.length)],
      appliesTo
        .map(({ tenant, segment }) => (segment === undefined ? tenant : `${tenant}/${segment}`))
        .join(','),
    ])
    const titles = ['POLICY', 'DIRECTION', 'DEFAULT', 'PEERS', 'APPLIES TO']
    return { exitCode: 0, text: json ? formatJson(policies) : formatColumns(titles, rows) }
  },
)

export const policyShowCommand = makeCommand(
  { name: 'policy show', description: 'Print a policy as a document that makes it again' },
  { policy: NAME, ...ADMIN_ARGS },
  async ({ policy, socket }) => {
    const found = await ask(socket, { method: 'GET', path: pathOf(policy) }, v.looseObject({}))
    return { exitCode: 0, text: formatJson({ policies: [found] }) }
  },
)

export const policyRemoveCommand = makeCommand(
  { name: 'policy remove', description: 'Remove a policy' },
  { policy: NAME, ...ADMIN_ARGS },
  async ({ policy, socket, json }) => {
    const answer = await ask(socket, { method: 'DELETE', path: pathOf(policy) }, v.object({}))
    return { exitCode: 0, text: json ? formatJson(answer) : `Removed policy ${policy}\n` }
  },
)

function pathOf(policy: string): string {
  return `/v1/policies/${encodeURIComponent(policy)}`
}

/** @throws RomanaError E_POLICY when it cannot be read or is not JSON. */
async function readDocument(file: string): Promise<object> {
  try {
    const words = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
    return v.parse(v.looseObject({}), JSON.parse(words))
  } catch (cause) {
    throw new RomanaError('E_POLICY', {
      cannot: `read the policies of "${file}"`,
      because: reasonOf(cause),
      remedy: 'It is a JSON object: docs/policies.md has its form',
      cause,
    })
  }
}
