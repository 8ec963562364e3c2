/** A command of `romana`: its arguments, as citty describes and parses them, and what it does. */
import { type ArgsDef, type ParsedArgs, parseArgs, renderUsage } from 'citty'
import type { Outcome } from './output.ts'

export interface Command {
  readonly description: string
  usage(): Promise<string>
  /** @throws UsageError, citty's CLIError, and what the command throws */
  run(words: readonly string[]): Promise<Outcome>
}

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `words` are what follows the command's name. */
export function makeCommand<const T extends ArgsDef>(
  meta: { readonly name: string; readonly description: string },
  args: T,
  run: (args: ParsedArgs<T>) => Outcome | Promise<Outcome>,
): Command {
  return {
    description: meta.description,
    usage: () => renderUsage({ meta, args }, { meta: { name: 'romana' } }),
    async run(words) {
      checkWords(words, args)
      return await run(parseArgs<T>([...words], args))
    },
  }
}

/** citty takes options that it does not know, and words too many, without a sound: a mistyped --json would be ignored. */
function checkWords(words: readonly string[], args: ArgsDef): void {
  const names = Object.keys(args)
  const options = names.filter((name) => args[name]?.type !== 'positional')
  for (const word of words.filter(isOption)) {
    if (!options.includes(word.replace(/^--(no-)?|=.*$/g, '')))
      throw new UsageError(`Unknown option: ${word}`)
  }
  const extra = parseArgs([...words], args)._[names.length - options.length]
  if (extra !== undefined) throw new UsageError(`Unexpected: ${extra}`)
}

function isOption(word: string): boolean {
  return word.startsWith('-')
}
