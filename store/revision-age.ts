/**
 * How long ago a record was written, told from its revision by a clock that does not jump. Wall time may be set back
 * or forward by hours, and a record cannot hold the time of a clock that starts anew with the process.
 */
export interface RevisionAge {
  /** Notes that the store has this revision now. The more often, the closer the ages. */
  observe(revision: number): void
  /** Whether the record of this revision is surely older than the age asked for. What was there at the start counts from then. */
  isOld(revision: number): boolean
}

/**
 * @param oldMs the age in milliseconds.
 * @param nowMs a monotonic clock, in milliseconds.
 */
export function makeRevisionAge(oldMs: number, nowMs: () => number): RevisionAge {
  const sightings: { readonly revision: number; readonly atMs: number }[] = []
  let oldRevision = 0
  const forgetOld = () => {
    const latestMs = nowMs() - oldMs
    for (let [first] = sightings; first !== undefined && first.atMs <= latestMs; [first] = sightings) {
      oldRevision = Math.max(oldRevision, first.revision)
      sightings.shift()
    }
  }
  return {
    observe(revision) {
      forgetOld()
      if (revision > Math.max(oldRevision, sightings.at(-1)?.revision ?? 0))
        sightings.push({ revision, atMs: nowMs() })
    },
    isOld(revision) {
      forgetOld()
      return revision <= oldRevision
    },
  }
}
