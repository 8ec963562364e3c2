/** Who reaches whom: asked of the containers, compared with what must be, shown as a table. */
import type { Docker } from './image.ts'
import { step } from './steps.ts'
import type { UpContainer } from './up-networks.ts'

/** What one container got from another. */
export interface Probe {
  readonly from: UpContainer
  readonly to: UpContainer
  readonly ping: boolean
  readonly tcp: boolean
}

/** A container with its address, and the engine that runs it. */
export interface Placed extends UpContainer {
  readonly address: string
  readonly docker: Docker
}

/** Asks every container from every other and prints the table. @throws Error when something is not as it must be */
export async function showReach(containers: readonly Placed[]): Promise<void> {
  const probes = await step(
    () => probeAll(containers),
    () => 'Asked every container from every other:',
  )
  console.log(`\n${reachTable(containers, probes)}\n`)
  const wrong = wrongProbes(probes).map(({ from, to }) => `${from.name} to ${to.name}`)
  if (wrong.length > 0) {
    throw new Error(
      `This is wrong: containers must reach those of their own network and no others: ${wrong.join(', ')}`,
    )
  }
}

/** Seconds: long, because all are asked at once. */
const PATIENCE = '2'

/** Asks from every container to every other. @throws ExecaError when a container does not run */
async function probeAll(containers: readonly Placed[]): Promise<readonly Probe[]> {
  const pairs = containers.flatMap((from) =>
    containers.filter((to) => to !== from).map((to) => ({ from, to })),
  )
  return await Promise.all(
    pairs.map(async ({ from, to }) => {
      const ask = (...command: readonly string[]) => succeeds(from, command)
      const [ping, tcp] = await Promise.all([
        ask('ping', '-c', '1', '-W', PATIENCE, to.address),
        ask('netcat', '-z', '-w', PATIENCE, to.address, '80'),
      ])
      return { from, to, ping, tcp }
    }),
  )
}

async function succeeds({ docker, name }: Placed, command: readonly string[]): Promise<boolean> {
  const { exitCode, stderr } = await docker(['exec', name, ...command], { reject: false })
  if (exitCode === 0 || exitCode === 1) return exitCode === 0
  throw new Error(`Cannot ask from ${name}: ${stderr}`)
}

/** The probes that are not as they must be: everything within a network, and nothing else. Pure. */
function wrongProbes(probes: readonly Probe[]): readonly Probe[] {
  return probes.filter(({ from, to, ping, tcp }) => {
    const wanted = from.network === to.network
    return ping !== wanted || tcp !== wanted
  })
}

/** One row for each container that asks, one column for each that is asked. Pure. */
function reachTable(containers: readonly Placed[], probes: readonly Probe[]): string {
  const answer = (from: Placed, to: Placed) => {
    const probe = probes.find((each) => each.from === from && each.to === to)
    return probe === undefined ? '·' : answerText(probe)
  }
  const heading = ['from', 'address', ...containers.map(({ name }) => `to ${name}`)]
  const rows = containers.map((from) => [
    from.name,
    from.address,
    ...containers.map((to) => answer(from, to)),
  ])
  return alignColumns([heading, ...rows])
}

function answerText({ ping, tcp }: Probe): string {
  const got = [ping ? 'ping' : '', tcp ? 'tcp' : ''].filter((kind) => kind !== '')
  return got.length === 0 ? 'no' : got.join(' ')
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widthOf(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
