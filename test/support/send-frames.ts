/** Sends Ethernet frames from a namespace, as who has NET_RAW can. */
import * as v from 'valibot'
import type { LinkAddresses } from './frames.ts'
import type { Netns } from './netns.ts'

const PROGRAM = new URL('send-frames.pl', import.meta.url).pathname

/** By eth0. */
export async function sendFrames({ run }: Netns, frames: readonly Buffer[]): Promise<void> {
  const input = `${frames.map((frame) => frame.toString('hex')).join('\n')}\n`
  await run({ file: 'perl', args: [PROGRAM, 'eth0'], input, timeoutMs: 60_000 })
}

const Links = v.array(v.object({ address: v.string() }))
const Neighbours = v.array(v.object({ lladdr: v.string() }))

/** From eth0 to a neighbour, which is asked first. */
export async function linkTo({ run }: Netns, address: string): Promise<LinkAddresses> {
  await run({ file: 'ping', args: ['-c', '1', '-W', '2', address] })
  const [own] = v.parse(Links, JSON.parse(await run({ file: 'ip', args: ['-json', 'link', 'show', 'eth0'] })))
  const show = ['-json', 'neighbour', 'show', address, 'dev', 'eth0']
  const [neighbour] = v.parse(Neighbours, JSON.parse(await run({ file: 'ip', args: show })))
  if (own === undefined || neighbour === undefined) throw new Error(`Cannot find the way to ${address}`)
  return { from: own.address, to: neighbour.lladdr }
}
