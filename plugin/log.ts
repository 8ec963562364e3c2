/** Logs: one JSON line an event, to standard output; the engine marks what comes on standard error as errors. */
import { type Logger, pino } from 'pino'
import type { LogLevel } from './config.ts'

export type Log = Logger

/** Lines are written before the call returns: a plugin that is killed has said all it had to say. */
export function openLog(level: LogLevel): Log {
  return pino({ level, base: null }, pino.destination({ fd: 1, sync: true }))
}
