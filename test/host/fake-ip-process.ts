/**
 * An `ip -force -batch -` that answers when a test says so. A line "fail REASON" fails, "warn TEXT" only prints, a line of
 * the object "link" does nothing, and any other object is unknown, as ip itself says.
 */
import { reasonOf } from '../../errors.ts'
import type { Coprocess, StartCoprocess } from '../../host/processes.ts'

export interface FakeIpProcess {
  /** What it has read. */
  readonly lines: readonly string[]
  readonly isKilled: boolean
  /** Tells the next so many characters of what it has to say; without a number all. */
  tell(characters?: number): void
  /** It ends by itself. */
  end(reason: string): void
}

/** The processes started so far, in order, and the function that starts them. */
export function makeFakeIp(): { start: StartCoprocess; processes: readonly FakeIpProcess[] } {
  const processes: Process[] = []
  const start: StartCoprocess = (file, args) => {
    const command = [file, ...args].join(' ')
    if (command !== 'ip -force -batch -') throw new Error(`The fake does not know the program "${command}"`)
    const process = new Process()
    processes.push(process)
    return process
  }
  return { start, processes }
}

class Process implements Coprocess, FakeIpProcess {
  readonly lines: string[] = []
  isKilled = false
  #untold = ''
  #hasEnded = false
  #onStderr: (text: string) => void = () => undefined
  #onEnd: (reason: string) => void = () => undefined

  write(text: string): void {
    // A pipe takes it; nobody reads.
    if (this.#hasEnded) return
    if (!text.endsWith('\n')) throw new Error(`The fake was given half a line: "${text}"`)
    for (const line of text.trimEnd().split('\n')) {
      this.lines.push(line)
      this.#untold += answerTo(line, this.lines.length)
    }
  }

  onStderr(listener: (text: string) => void): void {
    this.#onStderr = listener
  }

  onEnd(listener: (reason: string) => void): void {
    this.#onEnd = listener
  }

  kill(): void {
    this.isKilled = true
    this.end('Command was killed with SIGKILL')
  }

  tell(characters = this.#untold.length): void {
    const text = this.#untold.slice(0, characters)
    this.#untold = this.#untold.slice(characters)
    if (text !== '') this.#onStderr(text)
  }

  end(reason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#onEnd(reason)
  }
}

function answerTo(line: string, lineNumber: number): string {
  const [word = '', ...rest] = line.split(' ')
  if (word === 'link') return ''
  if (word === 'warn') return `${rest.join(' ')}\n`
  const reason = word === 'fail' ? rest.join(' ') : `Object "${word}" is unknown, try "ip help".`
  return `${reason}\nCommand failed -:${lineNumber}\n`
}

/** "done", or the error's text. */
export function outcome(request: Promise<void>): Promise<string> {
  return request.then(() => 'done', reasonOf)
}
