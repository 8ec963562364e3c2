/**
 * Flows that must not notice something: TCP connections that send a number every 50 ms, and pings every 100 ms, between
 * containers. A lost packet shows, also where TCP repairs the loss.
 */
import type { Member } from './reach.ts'

/** From one container to another. */
export interface Flow {
  readonly from: Member
  readonly to: Member
}

/** From a container to an address that answers pings. */
export interface PingFlow {
  readonly from: Member
  readonly to: Pick<Member, 'name' | 'address'>
}

const FIRST_PORT = 9000

/** Opens one TCP connection for each flow. Each flow is known by its place in the list. @throws ExecaError */
export async function startConnections(flows: readonly Flow[]): Promise<void> {
  for (const [index, { to }] of flows.entries()) {
    await background(to, `netcat -l ${portOf(index)} > ${receivedFile(index)}`)
  }
  for (const [index, { from, to }] of flows.entries()) {
    const numbers = 'n=0; while :; do n=$((n+1)); echo $n; usleep 50000; done'
    await background(from, `(${numbers}) | netcat ${to.address} ${portOf(index)}; touch ${endedFile(index)}`)
  }
}

/**
 * What is wrong with the connections, a line each: one that has ended, one whose numbers have a gap or are fewer than
 * `least`, a container whose TCP sent something twice.
 */
export async function brokenConnections(flows: readonly Flow[], least: number): Promise<readonly string[]> {
  const found = await Promise.all(
    flows.map(async ({ from, to }, index) => {
      const name = `${from.name} -> ${to.name}`
      const ended = await from.host.docker(['exec', from.name, 'test', '-e', endedFile(index)], {
        reject: false,
      })
      const numbers = (await print(to, 'cat', receivedFile(index))).split('\n').map(Number)
      const gap = numbers.findIndex((number, place) => number !== place + 1)
      return [
        ...(ended.exitCode === 0 ? [`${name} has ended`] : []),
        // The last number may be cut.
        ...(gap >= 0 && gap < numbers.length - 1 ? [`${name} has a gap at number ${gap + 1}`] : []),
        ...(numbers.length < least ? [`${name} got ${numbers.length} of ${least} numbers`] : []),
      ]
    }),
  )
  return [...found.flat(), ...(await repeatedSegments(flows))]
}

/** Starts one ping for each flow. @throws ExecaError */
export async function startPings(flows: readonly PingFlow[]): Promise<void> {
  for (const [index, { from, to }] of flows.entries()) {
    await background(from, `exec ping -i 0.1 ${to.address} > ${pingFile(index)}`)
  }
}

/** Ends the pings. One line each that has lost something: "a -> b: 99 of 100". @throws ExecaError */
export async function endPings(flows: readonly PingFlow[]): Promise<readonly string[]> {
  for (const { name, host } of new Set(flows.map(({ from }) => from))) {
    await host.docker(['exec', name, 'killall', '-INT', 'ping'])
  }
  const found = await Promise.all(
    flows.map(async ({ from, to }, index) => {
      const report = await print(from, 'cat', pingFile(index))
      const [, sent, received] = /(\d+) packets transmitted, (\d+) packets received/.exec(report) ?? []
      return sent !== undefined && sent === received
        ? []
        : [`${from.name} -> ${to.name}: ${received} of ${sent}`]
    }),
  )
  return found.flat()
}

/** Of the connections that a container has opened: what it sent twice. Others, such as vain probes, may. */
async function repeatedSegments(flows: readonly Flow[]): Promise<readonly string[]> {
  const members = [...new Set(flows.map(({ from }) => from))]
  const found = await Promise.all(
    members.map(async ({ name, host }) => {
      const { stdout: pid } = await host.docker(['inspect', '--format', '{{.State.Pid}}', name])
      const ss = [
        'ss',
        '--no-header',
        '--tcp',
        '--info',
        'state',
        'established',
        `( dport >= :${FIRST_PORT} )`,
      ]
      const { stdout } = await host.runInside('nsenter', [`--target=${pid}`, '--net', ...ss])
      return stdout.includes('bytes_retrans') ? [`${name} sent something again: ${stdout}`] : []
    }),
  )
  return found.flat()
}

async function background({ name, host }: Member, script: string): Promise<void> {
  await host.docker(['exec', '--detach', name, 'sh', '-c', script])
}

async function print({ name, host }: Member, ...command: readonly string[]): Promise<string> {
  return (await host.docker(['exec', name, ...command])).stdout
}

function portOf(index: number): string {
  return String(FIRST_PORT + index)
}

function receivedFile(index: number): string {
  return `/tmp/received-${index}`
}

function endedFile(index: number): string {
  return `/tmp/ended-${index}`
}

function pingFile(index: number): string {
  return `/tmp/ping-${index}`
}
