/** The `romana` command: from the words of the command line to an outcome. */
import { stripVTControlCharacters } from 'node:util'
import { renderUsage } from 'citty'
import { RomanaError } from '../errors.ts'
import { type Command, UsageError } from './command.ts'
import { addressCommand } from './commands/address.ts'
import { addressPlanCommand } from './commands/address-plan.ts'
import type { ExitCode, Outcome } from './output.ts'

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['address', addressCommand],
  ['address-plan', addressPlanCommand],
])

export async function romana(words: readonly string[]): Promise<Outcome> {
  const [name, ...rest] = words
  const command = COMMANDS.get(name ?? '')
  const usage = command === undefined ? rootUsage : command.usage
  if (words.includes('--help') || words.includes('-h')) return help(0, await usage())
  if (command === undefined) {
    return help(2, await usage(), name === undefined ? 'No command' : `Unknown command: ${name}`)
  }
  try {
    return await command.run(rest)
  } catch (error) {
    if (error instanceof RomanaError) return { exitCode: 2, text: `${error.message}\n` }
    if (isUsageError(error)) return help(2, await usage(), error.message)
    throw error
  }
}

function rootUsage(): Promise<string> {
  const subCommands = Object.fromEntries(
    [...COMMANDS].map(([name, { description }]) => [name, { meta: { description } }]),
  )
  const description = 'Routed, multi-tenant networks for Docker hosts, without an overlay'
  return renderUsage({ meta: { name: 'romana', description }, subCommands })
}

/** citty colours and pads its text whether or not a terminal reads it. */
function help(exitCode: ExitCode, usage: string, problem?: string): Outcome {
  const plain = stripVTControlCharacters(usage).replaceAll(/ +$/gm, '').trimEnd()
  return { exitCode, text: problem === undefined ? `${plain}\n` : `${plain}\n\n${problem}\n` }
}

/** citty does not export its CLIError. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'CLIError')
}
