/** Network namespaces that a test makes, uses and removes, and programs inside them. */
import {
  type Command,
  makeRunCommand,
  type RunCommand,
  type StartCoprocess,
  startCoprocess,
} from '../../host/processes.ts'

/** One network namespace. */
export interface Netns {
  readonly name: string
  /** Runs a program inside. @throws RomanaError E_COMMAND */
  readonly run: RunCommand
  /** Starts a program inside that stays. */
  readonly start: StartCoprocess
  /** Runs lines of `ip -batch` inside. @throws RomanaError E_COMMAND at the first that fails */
  ip(...lines: readonly string[]): Promise<void>
}

/** The namespaces of one test file. */
export interface NetnsSet {
  /** A fresh one with its loopback up. */
  make(role: string): Promise<Netns>
  /** What shall be ended before the namespaces go, the latest first. */
  defer(end: () => Promise<void> | void): void
  /** Ends what was deferred and removes all namespaces, each whatever becomes of the others. @throws Error the first failure */
  removeAll(): Promise<void>
}

const runHere = makeRunCommand()
let sets = 0

export function makeNetnsSet(): NetnsSet {
  const prefix = `romana-test-${process.pid}-${++sets}`
  const endings: (() => Promise<void> | void)[] = []
  const defer = (end: () => Promise<void> | void) => void endings.unshift(end)
  return {
    defer,
    async make(role) {
      const name = `${prefix}-${role}`
      await runHere({ file: 'ip', args: ['netns', 'add', name] })
      defer(async () => void (await runHere({ file: 'ip', args: ['netns', 'delete', name] })))
      const namespace = enter(name)
      await namespace.ip('link set dev lo up')
      return namespace
    },
    async removeAll() {
      const failures: unknown[] = []
      for (const end of endings.splice(0)) {
        try {
          await end()
        } catch (failure) {
          failures.push(failure)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}

function enter(name: string): Netns {
  const inside = (file: string, args: readonly string[]) => [`--net=/run/netns/${name}`, file, ...args]
  const run = ({ file, args, ...rest }: Command) =>
    runHere({ file: 'nsenter', args: inside(file, args), ...rest })
  return {
    name,
    run,
    start: (file, args) => startCoprocess('nsenter', inside(file, args)),
    async ip(...lines) {
      await run({ file: 'ip', args: ['-batch', '-'], input: `${lines.join('\n')}\n` })
    },
  }
}
