/**
 * Does one thing and prints what was done, with its time: "  1.24 s  Network blue-web". `describe` answers undefined, and
 * nothing is printed, when nothing had to be done.
 */
export async function step<T>(
  work: () => Promise<T>,
  describe: (result: T) => string | undefined,
): Promise<T> {
  const start = performance.now()
  const result = await work()
  const done = describe(result)
  if (done !== undefined) console.log(stepLine(performance.now() - start, done))
  return result
}

/** Pure. */
function stepLine(milliseconds: number, done: string): string {
  return `${(milliseconds / 1000).toFixed(2).padStart(6)} s  ${done}`
}

/** Runs a program's main function: what is thrown is printed without its stack, and is the exit code 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
