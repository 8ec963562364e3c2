/** The count at the end of `npm test`. Pure. */
import * as v from 'valibot'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What vitest's JSON reporter writes, so far as it is counted here. */
const vitestReport = v.object({
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  numPendingTests: v.number(),
  numTodoTests: v.number(),
  testResults: v.array(
    v.object({ status: v.string(), assertionResults: v.array(v.object({ status: v.string() })) }),
  ),
})

/** A program that only says well or not counts as one test. `exitCode` is undefined when it did not start or was killed. */
export function countCheck(exitCode: number | undefined): Counts {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

/**
 * What a run of vitest amounts to. A file that failed without a failed test (it could not be loaded, or a hook failed)
 * counts as one failure, and so does a run that failed without any (an error outside of the tests, no tests, no report).
 */
export function countVitest(report: string | undefined, exitCode: number | undefined): Counts {
  if (report === undefined) return countCheck(undefined)
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = v.parse(
    vitestReport,
    JSON.parse(report),
  )
  const failedFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = numFailedTests + failedFiles.length
  const nothingSaid = exitCode !== 0 && failed === 0
  return {
    passed: numPassedTests,
    failed: nothingSaid ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
  }
}

export function addCounts(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** 1 when something failed or nothing passed. */
export function exitCodeOf({ passed, failed }: Counts): 0 | 1 {
  return failed > 0 || passed === 0 ? 1 : 0
}
