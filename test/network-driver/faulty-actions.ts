/** What engine, plugin, host and time do in a test of faults. */
import type { StrayWish } from './stray-calls.ts'

export interface RunAction {
  readonly kind: 'run'
  /** By number, the first one is that of the container's ports. */
  readonly networks: readonly number[]
  readonly ip?: number
  /** What it publishes, by number. */
  readonly port?: number
}

export type Action =
  | RunAction
  | { readonly kind: 'connect'; readonly container: number; readonly network: number }
  | { readonly kind: 'stop' | 'die' | 'disconnect'; readonly container: number }
  | { readonly kind: 'network'; readonly isShared: boolean }
  | StrayWish

/** Actions of a step go on at the same time. A number: the plugin restarts, and is killed after so many steps of its start. */
export type Step =
  | readonly Action[]
  | number
  | 'plugin restarts'
  | 'journal is lost'
  | 'host reboots'
  | 'a minute passes'
