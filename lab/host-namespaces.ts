/**
 * A host of the lab: a network namespace, and a process 1 whose mount and PID namespaces hold all else. When that process is
 * killed, the kernel ends every process of the host and drops every mount, whatever state they are in.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, type DetachedProgram, type RunOptions, run, startDetached } from './command.ts'
import { namespacePath } from './lab-names.ts'
import { waitUntil } from './wait-until.ts'

const BOOT_TIMEOUT_MS = 30_000
const ENVIRONMENT = [
  'HOME=/root',
  'LANG=C.UTF-8',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
]

/** Which host. */
export interface HostSpec {
  readonly name: string
  /** The name of its network namespace, which exists. */
  readonly netns: string
  /** What it keeps on disk. */
  readonly directory: string
}

/** Ways into a host that has been booted. */
export class HostNamespaces {
  readonly spec: HostSpec
  /** As this machine sees it. */
  readonly #initPid: string

  private constructor(spec: HostSpec, initPid: string) {
    this.spec = spec
    this.#initPid = initPid
  }

  /** Starts a host on a root file system that is not written to. @throws Error with what the host printed */
  static async boot(spec: HostSpec, root: string): Promise<HostNamespaces> {
    layOut(spec)
    const log = join(spec.directory, 'init.log')
    const program = join(import.meta.dirname, 'host-init.sh')
    const init = startDetached(
      'nsenter',
      [
        ...[`--net=${namespacePath(spec.netns)}`, 'unshare', '--mount', '--pid', '--fork', '--kill-child'],
        ...['--uts', '--ipc', 'sh', program, root, spec.directory, spec.name],
      ],
      log,
    )
    return await waitUntil({ what: `the start of host ${spec.name}`, timeoutMs: BOOT_TIMEOUT_MS }, () => {
      if (!init.isRunning()) throw new Error(`Cannot start host ${spec.name}: ${readFileSync(log, 'utf8')}`)
      return HostNamespaces.find(spec)
    })
  }

  /** A host that runs already, perhaps started by another process; undefined when there is none. */
  static find(spec: HostSpec): HostNamespaces | undefined {
    try {
      const pid = readFileSync(join(spec.directory, 'init.pid'), 'utf8').trim()
      return isFirstOfHost(spec.netns, pid) ? new HostNamespaces(spec, pid) : undefined
    } catch {
      return undefined
    }
  }

  /**
   * Where this machine sees a path of the host, what is mounted there included. An absolute symbolic link on the way, such as
   * /var/run, leads out of the host: say /run.
   */
  rootPath(path: string): string {
    return join(`/proc/${this.#initPid}/root`, path)
  }

  /** The command that enters the host from a terminal. */
  get enterCommand(): readonly string[] {
    return [
      'nsenter',
      `--target=${this.#initPid}`,
      '--mount',
      '--net',
      '--pid',
      '--uts',
      '--ipc',
      '--root',
      '--wd',
    ]
  }

  /** Runs a program of this machine in the host's network only. @throws ExecaError */
  runInNetwork(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    return runInNetwork(this.spec.netns, command, args, options)
  }

  /** Runs a program of the host. @throws ExecaError */
  runInside(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    // nsenter waits for the program and would leave it behind when it is itself ended by a timeout.
    return this.#enter((file, before) =>
      run(file, [...before, 'setpriv', '--pdeathsig', 'KILL', command, ...args], options),
    )
  }

  /** Starts a program of the host that goes on when this process ends. */
  startInside(command: string, args: readonly string[], logFile: string): DetachedProgram {
    return this.#enter((file, before) => startDetached(file, [...before, command, ...args], logFile))
  }

  #enter<T>(start: (file: string, args: readonly string[]) => T): T {
    const [file = '', ...args] = this.enterCommand
    return start(file, [...args, 'env', '--ignore-environment', ...ENVIRONMENT])
  }
}

/** Whether a process is number 1 of the host with this network namespace. */
export function isFirstOfHost(netns: string, pid: string): boolean {
  try {
    const isFirst = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nNSpid:\t${pid}\t1\n`)
    return isFirst && statSync(`/proc/${pid}/ns/net`).ino === statSync(namespacePath(netns)).ino
  } catch {
    return false
  }
}

/** Runs a program of this machine inside a network namespace. @throws ExecaError */
export function runInNetwork(
  netns: string,
  command: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<CommandResult> {
  return run('nsenter', [`--net=${namespacePath(netns)}`, command, ...args], options)
}

function layOut({ name, directory }: HostSpec): void {
  for (const part of ['work', 'root', 'docker', 'upper/etc', 'upper/var/lib/docker']) {
    mkdirSync(join(directory, part), { recursive: true })
  }
  const etc = {
    hostname: `${name}\n`,
    hosts: `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${name}\n`,
    'machine-id': `${crypto.randomUUID().replaceAll('-', '')}\n`,
    // The machine's own, which debootstrap copied, may lie in the middle of an address plan.
    'resolv.conf': 'nameserver 203.0.113.1\n',
  }
  for (const [file, text] of Object.entries(etc)) writeFileSync(join(directory, 'upper/etc', file), text)
}
