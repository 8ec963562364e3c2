/**
 * A case of what Docker's drivers do on a network: it runs with Romana and with Docker's own driver bridge, and says what
 * was seen as text. Where the two differ, a heading of docs/differences.md says why.
 */
import type { DriverName } from './network-driver-names.ts'
import type { Stage } from './network-stage.ts'

/** All of what is seen, or a pattern in it: the engine's own words change from version to version. */
export type Text = string | RegExp

/** Where engines differ: by the major number of the engine's version. */
export type Seen = Text | ((version: number) => Text)

/** What each driver shows where they differ. */
export interface Difference {
  /** A heading of docs/differences.md. */
  readonly difference: string
  readonly romana: Seen
  readonly bridge: Seen
}

export interface NetworkCase {
  /** Follows the driver's name, as a sentence. */
  readonly title: string
  readonly see: (stage: Stage) => Promise<string>
  readonly expected: Seen | Difference
}

/** The heading of docs/differences.md, when the drivers differ. */
export function differenceOf({ expected }: NetworkCase): string | undefined {
  return isDifference(expected) ? expected.difference : undefined
}

/** What the driver must show. */
export function expectedOf({ expected }: NetworkCase, driver: DriverName, version: number): Text {
  const seen = isDifference(expected) ? expected[driver] : expected
  return typeof seen === 'function' ? seen(version) : seen
}

function isDifference(expected: Seen | Difference): expected is Difference {
  return typeof expected === 'object' && !(expected instanceof RegExp)
}
