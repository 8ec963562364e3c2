/** Suspicions come in swarms: they are gathered for a moment, and those of a link that goes meanwhile are dropped. */
import type { IpEvent, Suspicion } from './watch-ip.ts'

/** Milliseconds that are waited for more, and for the link to go. */
const WINDOW_MS = 150

/** The log does not need more of them. */
const MOST = 8

export interface Window {
  add(event: IpEvent): void
  close(): void
}

/** @param onSuspicions told once for each swarm that something is left of. */
export function openWindow(onSuspicions: (what: readonly string[]) => void): Window {
  const gathered = new Map<string, Suspicion>()
  let timer: NodeJS.Timeout | undefined
  function end(): void {
    timer = undefined
    const what = [...gathered.keys()]
    gathered.clear()
    if (what.length > 0) onSuspicions(what.length > MOST ? [...what.slice(0, MOST), '…'] : what)
  }
  return {
    add(event) {
      if (event.kind === 'suspicion') {
        gathered.set(event.suspicion.what, event.suspicion)
        timer ??= setTimeout(end, WINDOW_MS)
        return
      }
      for (const { what, link } of gathered.values()) if (link === event.link) gathered.delete(what)
    },
    close: () => clearTimeout(timer),
  }
}
