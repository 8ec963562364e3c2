/** The recordings of `test/fixtures/`: what real engines sent. */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface RecordedCall {
  readonly method: string
  /** "" for a call without arguments, and for one that was sent again when the connection broke. */
  readonly body: string
  /** What the recorded driver answered to a request for a pool or an address; otherwise "". */
  readonly answer: string
}

export type RecordedEvent =
  | { readonly kind: 'start' }
  /** What a person typed, or what befell the engine. */
  | { readonly kind: 'note'; readonly text: string }
  | ({ readonly kind: 'call' } & RecordedCall)

const FOLDER = fileURLToPath(new URL('../fixtures', import.meta.url))

/** The names of all recordings: "docker-29-run". */
export function recordings(): string[] {
  return globSync('docker-*.txt', { cwd: FOLDER })
    .map((name) => name.replace(/\.txt$/, ''))
    .sort()
}

/** @throws Error when a line is of no known kind. */
export function readRecording(name: string): RecordedEvent[] {
  const lines = readFileSync(`${FOLDER}/${name}.txt`, 'utf8').trimEnd().split('\n')
  return lines.flatMap((line, index): RecordedEvent[] => {
    if (line === '! the plugin starts') return [{ kind: 'start' }]
    const [, method, body = ''] = /^> (\S+)(?: (.*))?$/.exec(line) ?? []
    if (method === undefined) {
      if (line.startsWith('< ')) return []
      if (line.startsWith('# ')) return [{ kind: 'note', text: line.slice(2) }]
      throw new Error(`${name} has a line of no known kind: ${line}`)
    }
    return [{ kind: 'call', method, body, answer: /^< (.*)$/.exec(lines[index + 1] ?? '')?.[1] ?? '' }]
  })
}
