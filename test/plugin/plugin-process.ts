/** The plugin as a process of its own, on a kernel of its own, without root. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEmbeddedStore } from '../../store/embedded.ts'
import { recordsIn } from '../network-driver/romana-steps.ts'

const START = fileURLToPath(new URL('plugin-process.sh', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../../plugin/main.ts', import.meta.url))
const NAMESPACES = ['--map-root-user', '--mount', '--net']

/** What the kernel of the process carries, by the tools. */
const SHOW = `ip -oneline link show; ip rule show; ip route show table all; iptables-nft-save | grep -v '^[#:]'`

/** Whether such namespaces can be made here: not in every container. */
export function canStartPlugin(): boolean {
  try {
    execFileSync('unshare', [...NAMESPACES, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export class PluginProcess {
  readonly #child: ChildProcess
  readonly #folder: string
  #log = ''

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text
      })
  }

  /** Resolves when it listens. */
  static async start(): Promise<PluginProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'romana-process-'))
    const args = [...NAMESPACES, 'sh', START, folder, process.execPath, PROGRAM]
    const plugin = new PluginProcess(spawn('unshare', args), folder)
    while (!plugin.#log.includes('"msg":"ready"')) {
      if (!plugin.isRunning()) throw new Error(`The plugin has ended: ${plugin.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return plugin
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** All that it has printed. */
  get log(): string {
    return this.#log
  }

  /** The one that config.json declares. */
  get socket(): string {
    return this.#inside('/run/docker/plugins/romana.sock')
  }

  /** Both stores and the kernel, as text. */
  async state(): Promise<string> {
    const stores = [await this.#records('journal'), await this.#records('directory')]
    const namespaces = ['--preserve-credentials', '--user', '--net', `--target=${this.#child.pid}`]
    const kernel = execFileSync('nsenter', [...namespaces, 'sh', '-c', SHOW], { encoding: 'utf8' })
    return [...stores, kernel].join('\n\n')
  }

  /** Its exit code, behind SIGTERM. */
  async stop(): Promise<number | null> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning()) await this.stop()
    rmSync(this.#folder, { recursive: true })
  }

  /** A copy, since the plugin has it open alone. */
  async #records(name: string): Promise<string> {
    const path = join(this.#folder, `${name}.db`)
    for (const end of ['', '-wal']) {
      const original = this.#inside(`/host/var/lib/romana/${name}.db${end}`)
      if (existsSync(original)) copyFileSync(original, path + end)
    }
    const store = await openEmbeddedStore(path)
    try {
      return await recordsIn({ journal: store })
    } finally {
      await store.close()
    }
  }

  #inside(path: string): string {
    return `/proc/${this.#child.pid}/root${path}`
  }
}
