/** What goes on behind the drivers and needs the directory. No call waits for it, and no start. */
import { type Mirror, type MirrorParts, startMirror } from '../cluster/mirror.ts'
import { type Repeating, startRepeating } from '../cluster/repeat.ts'
import { reasonOf } from '../errors.ts'
import type { IpamDriver } from '../ipam-driver/driver.ts'
import type { Log } from './log.ts'

/** Milliseconds. */
const TIMES = { gatherMs: 1_000, distanceMs: 2_000, regularMs: 60_000, retryMs: 2_000 }

/** Brings journal and directory together at the start, regularly, and when something was left over. A problem is told once. */
export function keepReconciled(ipam: IpamDriver, log: Log, opened: AsyncDisposableStack): Repeating {
  let told: readonly string[] = []
  const repeating = startRepeating({
    ...TIMES,
    async task() {
      const problems = await ipam.recover()
      for (const problem of problems.filter((text) => !told.includes(text))) log.error(problem)
      told = problems
    },
    onFailure: (error) => log.warn({ err: error }, `pools are not reconciled: ${reasonOf(error)}`),
  })
  opened.defer(() => repeating.close())
  return repeating
}

/** The directory's copy of this host follows the journal. */
export function keepMirrored(parts: MirrorParts, log: Log, opened: AsyncDisposableStack): Mirror {
  const mirror = startMirror(parts, (error) =>
    log.warn({ err: error }, `the directory does not get its copy: ${reasonOf(error)}`),
  )
  opened.defer(() => mirror.close())
  return mirror
}
