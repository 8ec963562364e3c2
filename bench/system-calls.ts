/** What the plugin asks of the kernel, counted by strace: exact, and free of noise. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../lab/command.ts'
import { waitUntil } from '../lab/wait-until.ts'

/** How often, in all. */
export interface SystemCalls {
  /** Programs started. */
  readonly execve: number
  /** Processes made; threads do not count. */
  readonly fork: number
  /** Waits for the disk. */
  readonly fsync: number
}

const COUNTED = 'execve,execveat,fork,vfork,clone,clone3,fsync,fdatasync'

/** Counts while `work` runs, in the plugin and in what it has started. @param netns the network namespace of its host */
export async function countSystemCalls(netns: string, work: () => Promise<void>): Promise<SystemCalls> {
  const directory = mkdtempSync(join(tmpdir(), 'romana-bench-'))
  try {
    const file = join(directory, 'strace')
    const pids = await pluginProcesses(netns)
    const targets = pids.flatMap((pid) => ['-p', pid])
    const strace = spawn('strace', ['-f', '-qq', '-e', `trace=${COUNTED}`, '-o', file, ...targets])
    const ended = once(strace, 'close')
    await waitUntil({ what: 'strace', timeoutMs: 10_000 }, () => pids.every(isTraced))
    await work()
    strace.kill('SIGINT')
    await ended
    return count(readFileSync(file, 'utf8'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The plugin and the `ip -batch` beside it, as this machine numbers them. */
export async function pluginProcesses(netns: string): Promise<readonly string[]> {
  const { stdout } = await run('ip', ['netns', 'pids', netns])
  const pids = stdout.split('\n').map((pid) => pid.trim())
  const found = pids.filter((pid) =>
    /romana\/plugin\.js|^ip\0-force\0-batch/.test(readText(`/proc/${pid}/cmdline`)),
  )
  if (found.length === 0) throw new Error('Cannot find the plugin: it does not run')
  return found
}

function isTraced(pid: string): boolean {
  return !readText(`/proc/${pid}/status`).includes('TracerPid:\t0\n')
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Pure. @param report of `strace -f`; a call that another one interrupts has a second line, "<... NAME resumed>" */
function count(report: string): SystemCalls {
  const lines = report.split('\n')
  const calls = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length
  return {
    // A program is looked for in one directory after the other; where it is not, none is started.
    execve: calls(/^\d+ +execve(at)?\((?!.* = -1 ENOENT)/),
    fork: calls(/^\d+ +(fork|vfork|clone3?)\((?!.*CLONE_THREAD)/),
    fsync: calls(/^\d+ +f(data)?sync\(/),
  }
}
