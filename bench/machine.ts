/** Where and when something was measured. */
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  /** ISO 8601, UTC. */
  readonly date: string
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly kernel: string
}

/** How many processes wanted to run in the last minute. Before a measurement, it should not be above 0.5. */
export function loadNow(): number {
  const [load = Number.NaN] = loadavg()
  return load
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  }
}
