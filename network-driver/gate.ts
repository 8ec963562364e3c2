/**
 * Endpoints are made side by side; the host as a whole is observed and changed alone. Otherwise a route that an
 * endpoint got between the look and the change would be taken for a stale one.
 */
export interface Gate {
  /** Runs beside other shared tasks, never beside an exclusive one. */
  shared<T>(task: () => Promise<T>): Promise<T>
  /** Runs alone, when all tasks before it have ended. Later shared tasks wait for it. */
  exclusive<T>(task: () => Promise<T>): Promise<T>
}

export function makeGate(): Gate {
  const running = new Set<Promise<unknown>>()
  let lastExclusive: Promise<unknown> = Promise.resolve()
  const track = <T>(started: Promise<T>): Promise<T> => {
    const ended = started.then(
      () => undefined,
      () => undefined,
    )
    running.add(ended)
    void ended.then(() => running.delete(ended))
    return started
  }
  return {
    shared: (task) => track(lastExclusive.then(task)),
    exclusive(task) {
      const before = [lastExclusive, ...running]
      const result = Promise.all(before).then(task)
      lastExclusive = result.catch(() => undefined)
      return result
    },
  }
}
