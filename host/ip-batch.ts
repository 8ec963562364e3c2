/**
 * The hot path's door to the kernel: one long-lived `ip -force -batch -`. It forks nothing for a container. Lines are
 * worked off in order, and so are their errors on standard error; a line that no `ip` knows marks the end of a
 * request's errors there. One writer at a time is not needed: requests are pipelined.
 */
import type { RomanaError } from '../errors.ts'
import { type Coprocess, commandError, type StartCoprocess } from './processes.ts'

export interface IpBatch {
  /**
   * Works off the lines, all of them, even behind a failed one (-force).
   * @throws RomanaError E_COMMAND naming the first failed line and the kernel's reason.
   */
  run(lines: readonly string[]): Promise<void>
  /** Ends the program. Requests under way fail. */
  close(): void
}

interface Request {
  readonly lines: readonly string[]
  readonly endMark: string
  readonly firstLineNumber: number
  readonly settle: (failure?: RomanaError) => void
}

const TIMEOUT_MS = 5_000

/** One `ip -batch` process, started at first use and again when it has ended. */
export function openIpBatch(start: StartCoprocess, timeoutMs = TIMEOUT_MS): IpBatch {
  let session: Session | undefined
  return {
    run(lines) {
      if (session === undefined || session.hasEnded()) session = openSession(start, timeoutMs)
      return session.run(lines)
    },
    close: () => session?.close(),
  }
}

interface Session {
  run(lines: readonly string[]): Promise<void>
  hasEnded(): boolean
  close(): void
}

function openSession(start: StartCoprocess, timeoutMs: number): Session {
  const coprocess = start('ip', ['-force', '-batch', '-'])
  const queue: Request[] = []
  let linesWritten = 0
  let unread = ''
  let ended: string | undefined
  let timer: NodeJS.Timeout | undefined
  const endAll = (reason: string) => {
    ended ??= reason
    clearTimeout(timer)
    for (const request of queue.splice(0)) request.settle(commandError('ip -batch', reason))
  }
  // The wait is for the first in the queue: those behind it wait for their turn, and a removal alone takes 20 ms.
  const waitForFirst = () => {
    clearTimeout(timer)
    const line = queue[0]?.lines[0]
    if (line === undefined) return
    const reason = `no answer within ${timeoutMs} ms to "${line}"`
    timer = setTimeout(() => endSession(coprocess, endAll, reason), timeoutMs)
  }
  coprocess.onEnd(endAll)
  coprocess.onStderr((text) => {
    const first = queue[0]
    unread = settleFinished(queue, unread + text)
    if (queue[0] !== first) waitForFirst()
  })
  return {
    hasEnded: () => ended !== undefined,
    close: () => endSession(coprocess, endAll, 'the plugin stops'),
    run(lines) {
      if (lines.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const endMark = `romana-end-${linesWritten}`
        const settle = (failure?: RomanaError) => (failure === undefined ? resolve() : reject(failure))
        queue.push({ lines, endMark, firstLineNumber: linesWritten + 1, settle })
        linesWritten += lines.length + 1
        coprocess.write(`${lines.join('\n')}\n${endMark}\n`)
        if (queue.length === 1) waitForFirst()
      })
    },
  }
}

function endSession(coprocess: Coprocess, endAll: (reason: string) => void, reason: string): void {
  endAll(reason)
  coprocess.kill()
}

/** Settles every request whose end mark has been read; gives back what is not yet complete. */
function settleFinished(queue: Request[], text: string): string {
  let rest = text
  for (let request = queue[0]; request !== undefined; request = queue[0]) {
    const markLineNumber = request.firstLineNumber + request.lines.length
    const end = new RegExp(
      `^Object "${request.endMark}" is unknown.*\nCommand failed -:${markLineNumber}\n`,
      'm',
    ).exec(rest)
    if (end === null) return rest
    queue.shift()
    request.settle(firstFailure(request, rest.slice(0, end.index)))
    rest = rest.slice(end.index + end[0].length)
  }
  return rest
}

/** "RTNETLINK answers: File exists\nCommand failed -:6\n" -> the error of line 6. */
function firstFailure({ lines, firstLineNumber }: Request, errors: string): RomanaError | undefined {
  const failure = /([\s\S]*?)Command failed -:(\d+)\n/.exec(errors)
  if (failure?.[1] === undefined) return undefined
  const line = lines[Number(failure[2]) - firstLineNumber] ?? lines[0] ?? ''
  return commandError(`ip ${line}`, failure[1])
}
