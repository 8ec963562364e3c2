/** Flows that the kernel keeps in mind (conntrack): listed, and made to be forgotten, so that they are judged anew. */
import type { Cidr } from '../address/cidr.ts'
import type { Family } from '../address/ip.ts'
import { reasonOf } from '../errors.ts'
import type { FlowSelector } from './flow-selectors.ts'
import { type Flow, parseConntrack } from './parse-conntrack.ts'
import type { RunCommand } from './processes.ts'

/** A UDP port of this host, as callers of one family name it. */
export interface UdpPort {
  readonly family: Family
  readonly port: number
}

/** Those that an address of this network began or answers, translated ones too. @throws RomanaError E_COMMAND */
export async function listFlows(run: RunCommand, network: Cidr): Promise<Flow[]> {
  const list = async (...selector: readonly string[]) =>
    parseConntrack(await run({ file: 'conntrack', args: ['-L', '-f', `ipv${network.family}`, ...selector] }))
  const [from, to, translated] = await Promise.all([
    list('--src', String(network)),
    list('--dst', String(network)),
    list('--dst-nat'),
  ])
  const isFromElsewhere = ({ source }: Flow) => !network.contains(source)
  const isOnlyAnswered = ({ destination, server }: Flow) =>
    !network.contains(destination) && network.contains(server)
  return [
    ...from,
    ...to.filter(isFromElsewhere),
    ...translated.filter((flow) => isFromElsewhere(flow) && isOnlyAnswered(flow)),
  ]
}

/** Well when they have ended meanwhile. @throws RomanaError E_COMMAND */
export async function forgetFlows(run: RunCommand, selectors: readonly FlowSelector[]): Promise<void> {
  // One program each: `--load-file` takes many, but opens /dev/stdin, which is a socket here.
  for (const selector of selectors) await forget(run, selector)
}

/** Those to these ports of this host, wherever they went. @throws RomanaError E_COMMAND */
export function forgetUdpFlows(run: RunCommand, hostPorts: readonly UdpPort[]): Promise<void> {
  const selectors = hostPorts.map(({ family, port }) => `-f ipv${family} -p udp --orig-port-dst ${port}`)
  return forgetFlows(
    run,
    selectors.map((text) => text.split(' ')),
  )
}

async function forget(run: RunCommand, selector: FlowSelector): Promise<void> {
  try {
    await run({ file: 'conntrack', args: ['-D', ...selector] })
  } catch (error) {
    // It ends with 1 when there was nothing to delete.
    if (!reasonOf(error).includes('0 flow entries have been deleted')) throw error
  }
}
