/** The one place of the plugin that starts programs. No shell: arguments are lists, input is text. */
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { RomanaError, reasonOf } from '../errors.ts'

/** A program, its arguments and what it reads from standard input. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly input?: string
  readonly timeoutMs?: number
}

/** Runs a program to its end and gives its standard output. @throws RomanaError E_COMMAND with the program's own words. */
export type RunCommand = (command: Command) => Promise<string>

/** A program that stays: lines go in, what it writes to standard error comes back. */
export interface Coprocess {
  write(text: string): void
  onStderr(listener: (text: string) => void): void
  /** Called once, however it ended. */
  onEnd(listener: (reason: string) => void): void
  kill(): void
}

export type StartCoprocess = (file: string, args: readonly string[]) => Coprocess

/** A program that stays and reads nothing: what it prints comes line by line, that of standard error too. */
export interface Monitor {
  onLine(listener: (line: string) => void): void
  /** Called once, however it ended. */
  onEnd(listener: (reason: string) => void): void
  kill(): void
}

export type StartMonitor = (file: string, args: readonly string[]) => Monitor

const DEFAULT_TIMEOUT_MS = 10_000

/** @param xtablesLock the lock file that iptables-legacy shares with the engine, when it is not /run/xtables.lock. */
export function makeRunCommand(xtablesLock?: string): RunCommand {
  // Messages are matched by their English words.
  const env = { LC_ALL: 'C', ...(xtablesLock === undefined ? {} : { XTABLES_LOCKFILE: xtablesLock }) }
  return async ({ file, args, input = '', timeoutMs = DEFAULT_TIMEOUT_MS }) => {
    try {
      const { stdout } = await execa(file, args, { input, env, timeout: timeoutMs })
      return stdout
    } catch (cause) {
      throw commandError(`${file} ${args.join(' ')}`, reasonOf(cause), cause)
    }
  }
}

/** Starts a long-lived program whose standard output is not needed. */
export const startCoprocess: StartCoprocess = (file, args) => {
  const child = execa(file, args, {
    env: { LC_ALL: 'C' },
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
    buffer: false,
    reject: false,
  })
  // A write to a program that has just ended raises EPIPE here; the end itself is what is reported.
  child.stdin.on('error', () => undefined)
  child.stderr.setEncoding('utf8')
  return {
    write: (text) => void child.stdin.write(text),
    onStderr: (listener) => void child.stderr.on('data', listener),
    onEnd: (listener) => void child.then((result) => listener(result.shortMessage ?? 'it ended')),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Starts a long-lived program that only tells. */
export const startMonitor: StartMonitor = (file, args) => {
  const child = execa(file, args, { env: { LC_ALL: 'C' }, stdin: 'ignore', buffer: false, reject: false })
  return {
    onLine(listener) {
      for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', listener)
    },
    onEnd: (listener) => void child.then((result) => listener(result.shortMessage ?? 'it ended')),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** @param because what the program said. */
export function commandError(command: string, because: string, cause?: unknown): RomanaError {
  return new RomanaError('E_COMMAND', {
    cannot: `run "${command}"`,
    because: because.trim().replaceAll(/\s*\n\s*/g, '; '),
    ...(cause === undefined ? {} : { cause }),
  })
}
