/** Something that is written whole from what is recorded: many who ask for it at once are served by one writing. */

/** Resolves when what was recorded before the call has been written. */
export type Rewrite = () => Promise<void>

/** One writing after the other; who asks while one goes on waits for the next, which serves all who wait. */
export function makeRewriter(write: () => Promise<void>): Rewrite {
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  return () => {
    waiting ??= last
      .catch(() => undefined)
      .then(() => {
        waiting = undefined
        last = write()
        return last
      })
    return waiting
  }
}
