/** The `romana` command: from the words of the command line to an outcome. */
import { stripVTControlCharacters } from 'node:util'
import { renderUsage } from 'citty'
import { RomanaError } from '../errors.ts'
import { Refusal } from './admin-client.ts'
import { type Command, UsageError } from './command.ts'
import { addressCommand } from './commands/address.ts'
import { addressPlanCommand } from './commands/address-plan.ts'
import { endpointListCommand } from './commands/endpoint.ts'
import { hostAcceptCommand, hostListCommand, hostRemoveCommand } from './commands/host.ts'
import { networkListCommand, networkRemoveCommand } from './commands/network.ts'
import { planCommand } from './commands/plan.ts'
import {
  policyApplyCommand,
  policyListCommand,
  policyRemoveCommand,
  policyShowCommand,
} from './commands/policy.ts'
import { portsCommand } from './commands/ports.ts'
import { routesExportCommand } from './commands/routes.ts'
import { segmentAddCommand, segmentListCommand, segmentRemoveCommand } from './commands/segment.ts'
import { statusCommand } from './commands/status.ts'
import { tenantAddCommand, tenantListCommand, tenantRemoveCommand } from './commands/tenant.ts'
import type { ExitCode, Outcome } from './output.ts'

/** A noun with several verbs has a command for each: its name is two words. */
const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['status', statusCommand],
  ['tenant list', tenantListCommand],
  ['tenant add', tenantAddCommand],
  ['tenant remove', tenantRemoveCommand],
  ['segment list', segmentListCommand],
  ['segment add', segmentAddCommand],
  ['segment remove', segmentRemoveCommand],
  ['network list', networkListCommand],
  ['network remove', networkRemoveCommand],
  ['endpoint list', endpointListCommand],
  ['host list', hostListCommand],
  ['host remove', hostRemoveCommand],
  ['host accept', hostAcceptCommand],
  ['ports', portsCommand],
  ['routes export', routesExportCommand],
  ['policy apply', policyApplyCommand],
  ['policy list', policyListCommand],
  ['policy show', policyShowCommand],
  ['policy remove', policyRemoveCommand],
  ['plan', planCommand],
  ['address', addressCommand],
  ['address-plan', addressPlanCommand],
])

export async function romana(words: readonly string[]): Promise<Outcome> {
  const found = findCommand(words)
  const usage = found === undefined ? () => rootUsage(words[0]) : found.command.usage
  if (words.includes('--help') || words.includes('-h')) return help(0, await usage())
  if (found === undefined) {
    const typed = words.slice(0, isNoun(words[0]) ? 2 : 1).join(' ')
    return help(2, await usage(), typed === '' ? 'No command' : `Unknown command: ${typed}`)
  }
  try {
    return await found.command.run(found.rest)
  } catch (error) {
    if (isUsageError(error)) return help(2, await usage(), error.message)
    return failure(error)
  }
}

function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const command = COMMANDS.get(words.slice(0, count).join(' '))
    if (command !== undefined) return { command, rest: words.slice(count) }
  }
  return undefined
}

function isNoun(word: string | undefined): boolean {
  return [...COMMANDS.keys()].some((name) => name.startsWith(`${word} `))
}

/** What the words say is wrong, what the plugin refuses, or what keeps it from answering. */
function failure(error: unknown): Outcome {
  if (error instanceof Refusal)
    return { exitCode: error.isUsage ? 2 : 1, text: `${error.message}\n`, isFailure: true }
  if (!(error instanceof RomanaError)) throw error
  const exitCode = error.code === 'E_PLUGIN_AWAY' ? 1 : 2
  return { exitCode, text: `${error.message}\n`, isFailure: true }
}

/** @param noun shows its commands only. */
function rootUsage(noun: string | undefined): Promise<string> {
  const commands = [...COMMANDS].filter(([name]) => !isNoun(noun) || name.startsWith(`${noun} `))
  const subCommands = Object.fromEntries(
    commands.map(([name, { description }]) => [name, { meta: { description } }]),
  )
  const description = 'Routed, multi-tenant networks for Docker hosts, without an overlay'
  return renderUsage({ meta: { name: 'romana', description }, subCommands })
}

/** citty colours and pads its text whether or not a terminal reads it. */
function help(exitCode: ExitCode, usage: string, problem?: string): Outcome {
  const plain = stripVTControlCharacters(usage).replaceAll(/ +$/gm, '').trimEnd()
  if (problem === undefined) return { exitCode, text: `${plain}\n` }
  return { exitCode, text: `${plain}\n\n${problem}\n`, isFailure: true }
}

/** citty does not export its CLIError. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'CLIError')
}
