/** One etcd on this machine's loopback, for tests: no host, no certificates, no user. */
import { randomInt } from 'node:crypto'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { run } from './command.ts'
import { engineRoot, type Release } from './engine-root.ts'
import { waitUntil } from './wait-until.ts'

const START_TIMEOUT_MS = 30_000

/** The command that runs the etcd of a release: this machine's own, or that of the lab's hosts with their libraries. */
export async function etcdOf(release: Release): Promise<readonly string[]> {
  if (release === 'bookworm') return ['etcd']
  const root = await engineRoot(release)
  const [loader] = globSync('usr/lib*/ld-linux*.so.*', { cwd: root })
  const [libraries] = globSync('usr/lib/*-linux-gnu', { cwd: root })
  if (loader === undefined || libraries === undefined) throw new Error(`Cannot run programs of ${root}`)
  return [join(root, loader), '--library-path', join(root, libraries), join(root, 'usr/bin/etcd')]
}

/** A running etcd. */
export interface EtcdMember extends AsyncDisposable {
  /** "http://127.0.0.1:41234" */
  readonly endpoint: string
  /** Such as "3.4.23". */
  readonly version: string
  /** Runs `etcdctl` against it. @throws ExecaError */
  ctl(args: readonly string[]): Promise<string>
  /** Ends it at once and keeps its data. */
  kill(): Promise<void>
  /** Starts it again with its data, at the same address. */
  restart(): Promise<void>
}

/** @param program the etcd to run: this machine's own without it. @param args more arguments of it. */
export async function startEtcdMember(
  program: readonly string[] = ['etcd'],
  args: readonly string[] = [],
): Promise<EtcdMember> {
  const directory = mkdtempSync(join(tmpdir(), 'romana-etcd-'))
  const [clientPort, peerPort] = [await freePort(), await freePort()]
  const endpoint = `http://127.0.0.1:${clientPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  const options = {
    name: 'lab',
    'data-dir': join(directory, 'data'),
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `lab=${peer}`,
    'log-level': 'error',
  }
  const [file = 'etcd', ...before] = program
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  const start = () => execa(file, [...before, ...flags, ...args], { reject: false, stdio: 'ignore' })
  let server: ReturnType<typeof start> | undefined
  const ctl = async (line: readonly string[]) =>
    (await execa('etcdctl', [`--endpoints=${endpoint}`, ...line], { env: { ETCDCTL_API: '3' } })).stdout
  const restart = async () => {
    let ending: string | undefined
    server = start()
    void server.then(({ shortMessage = 'with 0' }) => (ending = shortMessage))
    await waitUntil({ what: 'the start of etcd', timeoutMs: START_TIMEOUT_MS }, () => {
      if (ending !== undefined) throw new Error(`etcd has ended: ${ending}`)
      return answers(ctl)
    })
  }
  const kill = async () => {
    server?.kill('SIGKILL')
    await server
  }
  await restart()
  const { stdout } = await run(file, [...before, '--version'])
  return {
    endpoint,
    version: /etcd Version: (\S+)/.exec(stdout)?.[1] ?? '',
    ctl,
    kill,
    restart,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The members of a cluster that is about to start do not answer this. Where users are asked for, one that asks runs. */
async function answers(ctl: EtcdMember['ctl']): Promise<boolean> {
  return await ctl(['endpoint', 'health']).then(
    () => true,
    (error: unknown) => /user name is empty/.test(String(error)),
  )
}

/**
 * A port of the loopback that nobody listens on. Below those that the kernel gives to callers (32768 and up): until somebody listens
 * on it, a caller who is given it would have it, or reach itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
