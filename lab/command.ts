/** The lab's one place that runs programs. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { execa } from 'execa'

/** Long enough for a download; whoever knows better says so. */
const TIMEOUT_MS = 600_000

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string
  /** The program's standard input; without it the input is empty. */
  readonly input?: string | Uint8Array
  /** False: a non-zero exit code is an answer, not an error. A program that cannot be started or takes too long is always an error. */
  readonly reject?: boolean
  /** Milliseconds until the program is ended; 10 minutes without it. */
  readonly timeoutMs?: number
}

/** `exitCode` is undefined when a signal ended the program. The final newline is cut off both texts. */
export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | undefined
}

/** Runs a program to its end. @throws ExecaError, whose message holds the command and its standard error */
export async function run(
  file: string,
  args: readonly string[],
  { cwd, input = '', reject = true, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<CommandResult> {
  const result = await execa(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    input,
    reject: false,
    timeout: timeoutMs,
  })
  const unanswered = result.timedOut || (result.exitCode === undefined && result.signal === undefined)
  if (result instanceof Error && (reject || unanswered)) throw result
  const { stdout, stderr, exitCode } = result
  return { stdout, stderr, exitCode }
}

/** A program that outlives this process. */
export interface DetachedProgram {
  isRunning(): boolean
}

/** Starts a program that goes on when this process ends; what it prints is appended to `logFile`. */
export function startDetached(file: string, args: readonly string[], logFile: string): DetachedProgram {
  const log = openSync(logFile, 'a')
  try {
    // execa would carry the output through this process.
    const program = spawn(file, args, { detached: true, stdio: ['ignore', log, log] })
    // isRunning tells; without a listener a program that is not there would end this process.
    program.on('error', () => {})
    program.unref()
    return { isRunning: () => program.exitCode === null && program.signalCode === null }
  } finally {
    closeSync(log)
  }
}
