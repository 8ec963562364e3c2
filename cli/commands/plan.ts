/** `romana plan`: the dry run of what the plugin does when it starts and for each network. */
import * as v from 'valibot'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { makeCommand } from '../command.ts'
import { formatJson, type Outcome } from '../output.ts'

const Plan = v.object({ plan: v.string() })

export const planCommand = makeCommand(
  {
    name: 'plan',
    description:
      'Show what the plugin would change on this host now, and change nothing. Exit code 1: something',
  },
  ADMIN_ARGS,
  async ({ socket, json }): Promise<Outcome> => {
    const answer = await ask(socket, { method: 'GET', path: '/v1/plan' }, Plan)
    const isAsRecorded = answer.plan === ''
    const text = isAsRecorded ? 'Nothing: the host is as recorded\n' : answer.plan
    return { exitCode: isAsRecorded ? 0 : 1, text: json ? formatJson(answer) : text }
  },
)
