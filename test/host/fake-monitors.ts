/** Programs that tell what a test lets them tell. */
import type { Monitor, StartMonitor } from '../../host/processes.ts'

export interface FakeMonitor {
  /** With its arguments. */
  readonly command: string
  readonly isKilled: boolean
  tell(...lines: readonly string[]): void
  /** It ends by itself. */
  end(reason: string): void
}

/** The programs started so far, in order, and the function that starts them. */
export function makeFakeMonitors(): { start: StartMonitor; monitors: readonly FakeMonitor[] } {
  const monitors: Fake[] = []
  const start: StartMonitor = (file, args) => {
    const monitor = new Fake([file, ...args].join(' '))
    monitors.push(monitor)
    return monitor
  }
  return { start, monitors }
}

class Fake implements Monitor, FakeMonitor {
  readonly command: string
  isKilled = false
  #onLine: (line: string) => void = () => undefined
  #onEnd: (reason: string) => void = () => undefined

  constructor(command: string) {
    this.command = command
  }

  onLine(listener: (line: string) => void): void {
    this.#onLine = listener
  }

  onEnd(listener: (reason: string) => void): void {
    this.#onEnd = listener
  }

  kill(): void {
    this.isKilled = true
    this.end('killed')
  }

  tell(...lines: readonly string[]): void {
    for (const line of lines) this.#onLine(line)
  }

  end(reason: string): void {
    this.#onEnd(reason)
  }
}
