/** Who calls published ports, from where, and whom the server sees: programs of this machine in the networks of a lab. */
import { once } from 'node:events'
import { join } from 'node:path'
import { execa } from 'execa'
import type { LabHost } from '../../lab/lab-host.ts'
import { namespacePath } from '../../lab/lab-names.ts'
import { sandboxOf } from '../../lab/sandboxes.ts'
import { waitUntil } from '../../lab/wait-until.ts'

/** Somebody who calls: a name, and the network namespace as a path. */
export interface Caller {
  readonly name: string
  readonly netns: string
}

/** A namespace that has a name. */
export function callerIn(name: string, netns: string): Caller {
  return { name, netns: namespacePath(netns) }
}

/** A running container. */
export async function callerInContainer(host: LabHost, name: string, container: string): Promise<Caller> {
  return { name, netns: await sandboxOf(host, container) }
}

/** Serves in a container until it is disposed of. @param ports such as "tcp:80" */
export async function servePorts(server: Caller, ports: readonly string[]): Promise<AsyncDisposable> {
  const program = join(import.meta.dirname, 'port-server-process.ts')
  const inside = [`--net=${server.netns}`, process.execPath, program, ...ports]
  const child = execa('nsenter', inside, { reject: false, stdio: ['ignore', 'inherit', 'inherit'] })
  const end = async () => {
    child.kill('SIGKILL')
    await child
  }
  const local = ports.map((port) => port.replace(':', ':127.0.0.1:'))
  try {
    await waitUntil({ what: `the ports of ${server.name}`, timeoutMs: 10_000 }, async () =>
      [...(await callPorts(server, local)).values()].every((seen) => seen === '127.0.0.1'),
    )
  } catch (error) {
    await end()
    throw error
  }
  return { [Symbol.asyncDispose]: end }
}

/** What the server sees of one caller, by target such as "tcp:198.18.1.11:8080": an address, or "nothing". */
export async function callPorts(caller: Caller, targets: readonly string[]): Promise<Map<string, string>> {
  const program = join(import.meta.dirname, 'port-probe-process.ts')
  const { stdout } = await execa('nsenter', [`--net=${caller.netns}`, process.execPath, program, ...targets])
  return new Map(
    stdout.split('\n').map((line) => {
      const [target = '', seen = ''] = line.split(' ')
      return [target, seen]
    }),
  )
}

export interface PortFlows {
  /** Ends them: "64 connections, 0 ended, 0 lines lost". */
  end(): Promise<string>
}

/** Opens so many connections that go on until they are ended. @throws ExecaError */
export async function startPortFlows(
  caller: Caller,
  { host, port }: { readonly host: string; readonly port: number },
  count: number,
): Promise<PortFlows> {
  const program = join(import.meta.dirname, 'port-flows-process.ts')
  const args = [`--net=${caller.netns}`, process.execPath, program, host, String(port), String(count)]
  const child = execa('nsenter', args, { stdin: 'pipe', timeout: 120_000 })
  await once(child.stdout, 'data')
  return {
    async end() {
      child.stdin.end()
      return (await child).stdout.split('\n').at(-1) ?? ''
    },
  }
}

export interface UdpClient extends AsyncDisposable {
  /** How many it has got. */
  answers(): number
}

/** Sends datagrams from one port, every 50 ms, until it is disposed of. */
export function startUdpClient(
  caller: Caller,
  { host, port }: { readonly host: string; readonly port: number },
): UdpClient {
  const program = join(import.meta.dirname, 'udp-client-process.ts')
  const args = [`--net=${caller.netns}`, process.execPath, program, host, String(port)]
  const child = execa('nsenter', args, { reject: false, buffer: false })
  let answers = 0
  child.stdout.on('data', (data) => {
    answers += String(data).split('\n').length - 1
  })
  return {
    answers: () => answers,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child
    },
  }
}
