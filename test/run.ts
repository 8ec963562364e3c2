/**
 * `npm test`: format and lint, types, then the tests of all three projects. The last line is the count of all.
 *
 * Tests never call skip: one that cannot run because a part is missing (root, an engine, a kernel module) must fail,
 * or a machine without that part would prove nothing and say that all is well. Skips are counted all the same.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import {
  addCounts,
  type Counts,
  countCheck,
  countVitest,
  exitCodeOf,
  formatCounts,
} from './support/summary.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const counts = addCounts([
  countCheck(await run('biome', ['check', '.'])),
  countCheck(await run('tsc', ['--noEmit'])),
  await runVitest(),
])
process.exitCode = exitCodeOf(counts)
console.log(formatCounts(counts))

/** The program's exit code, or undefined when it did not start or was killed. Its output is shown as it comes. */
async function run(program: string, parameters: readonly string[]): Promise<number | undefined> {
  console.log(`\n> ${[program, ...parameters].join(' ')}`)
  const result = await execa(program, parameters, {
    cwd: ROOT,
    preferLocal: true,
    reject: false,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.exitCode === undefined) console.log(result.message)
  return result.exitCode
}

async function runVitest(): Promise<Counts> {
  const directory = await mkdtemp(join(tmpdir(), 'romana-test-'))
  try {
    const report = join(directory, 'report.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const exitCode = await run('vitest', ['run', '--config', 'test/vitest.config.ts', ...reporters])
    return countVitest(await readFile(report, 'utf8').catch(() => undefined), exitCode)
  } finally {
    await rm(directory, { recursive: true })
  }
}
