/** One at a time: tasks that read, decide and write what they read. */

/** Runs a task when all earlier ones have ended, well or not. */
export type Serial = <T>(task: () => Promise<T>) => Promise<T>

/** A new queue. Tasks must not wait for another task of their own queue. */
export function makeSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined)
    return result
  }
}

/** Like {@link Serial}, one queue for each key. A key without tasks costs nothing. */
export type KeyedSerial = <T>(key: string, task: () => Promise<T>) => Promise<T>

/** New queues, one a key. */
export function makeKeyedSerial(): KeyedSerial {
  const lastOf = new Map<string, Promise<unknown>>()
  return (key, task) => {
    const result = (lastOf.get(key) ?? Promise.resolve()).then(task)
    const ended = result
      .catch(() => undefined)
      .then(() => {
        if (lastOf.get(key) === ended) lastOf.delete(key)
      })
    lastOf.set(key, ended)
    return result
  }
}
