/** A program that tells of changes, kept running: what happens while it is away is seen by a look when it is back. */
import type { StartMonitor } from './processes.ts'

/** Milliseconds from its end to its next start: after the first end, the second, and so on; the last one goes on. */
const RESTART_DELAYS_MS = [500, 1_000, 5_000, 30_000]
/** It has settled when it has run so long: its next end is the first again. */
const SETTLED_MS = 60_000
/** It listens by then. Nobody says so. */
const LISTENS_MS = 300

export interface KeptMonitorParts {
  readonly start: StartMonitor
  readonly program: { readonly file: string; readonly args: readonly string[] }
  readonly onLine: (line: string) => void
  /** Told after each start: what changed before went unseen. */
  readonly onListening: (what: string) => void
  /** Told how it ended. It is started again. */
  readonly onEnd: (text: string) => void
}

export interface KeptMonitor {
  close(): void
}

export function keepMonitor(parts: KeptMonitorParts): KeptMonitor {
  const { file, args } = parts.program
  const name = `${file} ${args.join(' ')}`
  let ends = 0
  let timer: NodeJS.Timeout
  let monitor = begin()

  function begin() {
    const startedMs = performance.now()
    const begun = parts.start(file, args)
    begun.onLine(parts.onLine)
    begun.onEnd((reason) => {
      clearTimeout(timer)
      if (closed) return
      parts.onEnd(`"${name}" has ended: ${reason}`)
      if (performance.now() - startedMs > SETTLED_MS) ends = 0
      timer = setTimeout(restart, RESTART_DELAYS_MS[Math.min(ends, RESTART_DELAYS_MS.length - 1)])
      ends += 1
    })
    timer = setTimeout(() => parts.onListening(`"${name}" has begun to tell`), LISTENS_MS)
    return begun
  }
  function restart(): void {
    monitor = begin()
  }
  let closed = false
  return {
    close() {
      closed = true
      clearTimeout(timer)
      monitor.kill()
    },
  }
}
