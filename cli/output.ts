/** What commands print. Pure. */

/** 0: well. 1: the command found a problem. 2: it was typed wrongly. */
export type ExitCode = 0 | 1 | 2

/** How a command ended. */
export interface Outcome {
  readonly exitCode: ExitCode
  readonly text: string
  /** The command was not carried out: the text says why, on standard error instead of standard output. */
  readonly isFailure?: true
}

/** One line for each row, the values below each other. */
export function formatTable(rows: readonly (readonly [label: string, value: string | bigint])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`).join('')
}

/** JSON, in which a bigint is a number as long as every reader gets it right (up to 2^53 - 1), and beyond a string. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, exactNumber, 2)}\n`
}

function exactNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
