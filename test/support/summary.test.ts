import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { addCounts, countCheck, countVitest, exitCodeOf, formatCounts } from './summary.ts'

describe('countVitest() counts a run of vitest in which', () => {
  test.each([
    ['tests pass', "test('a', () => {}); test('b', () => {})", '2 passed, 0 failed, 0 skipped'],
    [
      'a test fails',
      "test('a', () => {}); test('b', () => { expect(1).toBe(2) })",
      '1 passed, 1 failed, 0 skipped',
    ],
    [
      'tests are skipped',
      "test('a', () => {}); test.skip('b', () => {}); test.todo('c')",
      '1 passed, 0 failed, 2 skipped',
    ],
    ['a file cannot be loaded', "import './missing.ts'", '0 passed, 1 failed, 0 skipped'],
    ['a file has no tests', '', '0 passed, 1 failed, 0 skipped'],
    [
      'a hook fails',
      "describe('x', () => { beforeAll(() => { throw new Error('no') }); test('a', () => {}) }); test('b', () => {})",
      '1 passed, 1 failed, 1 skipped',
    ],
    [
      'an error is thrown outside of the tests',
      "test('a', async () => { setTimeout(() => { throw new Error('late') }); await new Promise((r) => setTimeout(r, 50)) })",
      '1 passed, 1 failed, 0 skipped',
    ],
  ])('%s', { timeout: 30_000 }, async (_, text, counts) => {
    expect(formatCounts(await countRunOf(text))).toBe(counts)
  })

  test('there is no test at all', { timeout: 30_000 }, async () => {
    expect(formatCounts(await countRunOf(undefined))).toBe('0 passed, 1 failed, 0 skipped')
  })
})

test('countVitest() counts a run without a report as one failure', () => {
  expect(formatCounts(countVitest(undefined, undefined))).toBe('0 passed, 1 failed, 0 skipped')
})

test('countCheck() counts a program as passed only when it exits with 0', () => {
  expect([0, 1, undefined].map((code) => formatCounts(countCheck(code)))).toEqual([
    '1 passed, 0 failed, 0 skipped',
    '0 passed, 1 failed, 0 skipped',
    '0 passed, 1 failed, 0 skipped',
  ])
})

test('addCounts() adds each kind', () => {
  const all = addCounts([
    { passed: 1, failed: 2, skipped: 3 },
    { passed: 10, failed: 20, skipped: 30 },
  ])
  expect(formatCounts(all)).toBe('11 passed, 22 failed, 33 skipped')
})

test('exitCodeOf() is 0 only when something passed and nothing failed', () => {
  expect(exitCodeOf({ passed: 5, failed: 0, skipped: 0 })).toBe(0)
  expect(exitCodeOf({ passed: 5, failed: 0, skipped: 5 })).toBe(0)
  expect(exitCodeOf({ passed: 5, failed: 1, skipped: 0 })).toBe(1)
  expect(exitCodeOf({ passed: 0, failed: 0, skipped: 0 })).toBe(1)
  expect(exitCodeOf({ passed: 0, failed: 0, skipped: 5 })).toBe(1)
})

/** Runs vitest on one test file with this text, or on none, and counts what it reports. */
async function countRunOf(text: string | undefined) {
  const directory = await mkdtemp(join(tmpdir(), 'romana-summary-'))
  try {
    if (text !== undefined) await writeFile(join(directory, 'a.test.ts'), text)
    const report = join(directory, 'report.json')
    const parameters = [
      'run',
      '--globals',
      '--root',
      directory,
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]
    const { exitCode } = await execa('vitest', parameters, {
      preferLocal: true,
      localDir: import.meta.dirname,
      reject: false,
    })
    return countVitest(await readFile(report, 'utf8').catch(() => undefined), exitCode)
  } finally {
    await rm(directory, { recursive: true })
  }
}
