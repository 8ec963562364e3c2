/** Flows that the kernel keeps in mind (conntrack): listed, and made to be forgotten, so that they are judged anew. */
import { reasonOf } from '../errors.ts'
import { type Flow, parseConntrack } from './parse-conntrack.ts'
import type { RunCommand } from './processes.ts'

/** All flows of this host. @throws RomanaError E_COMMAND */
export async function listFlows(run: RunCommand): Promise<Flow[]> {
  const list = (family: string) => run({ file: 'conntrack', args: ['-L', '-f', family] })
  return (await Promise.all(['ipv4', 'ipv6'].map(list))).flatMap(parseConntrack)
}

/** Those to one service of one server by one client go together. Well when they have ended meanwhile. @throws RomanaError E_COMMAND */
export async function forgetFlows(run: RunCommand, flows: readonly Flow[]): Promise<void> {
  for (const selector of new Set(flows.map(selectorOf))) await forget(run, selector.split(' '))
}

function selectorOf({ protocol, source, destination, port }: Flow): string {
  const ofPort = port === undefined ? '' : ` --dport ${port}`
  return `-f ipv${source.family} -p ${protocol} -s ${source} -d ${destination}${ofPort}`
}

async function forget(run: RunCommand, selector: readonly string[]): Promise<void> {
  try {
    await run({ file: 'conntrack', args: ['-D', ...selector] })
  } catch (error) {
    // It ends with 1 when there was nothing to delete.
    if (!reasonOf(error).includes('0 flow entries have been deleted')) throw error
  }
}
