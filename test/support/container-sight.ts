/** What is seen from inside a container of a stage. */
import type { Stage } from './network-stage.ts'

/** The links of a container, but for lo. */
export async function links(stage: Stage, container: string): Promise<string> {
  return (await stage.shell(container, 'ls /sys/class/net'))
    .split(/\s+/)
    .filter((link) => link !== 'lo')
    .join(' ')
}

/** The addresses that answer when a datagram's time to live is over, and the one at the end. */
export async function hops(stage: Stage, container: string, to: string): Promise<string[]> {
  const output = await stage.shell(container, `traceroute -n -w 1 -q 1 -m 5 ${to}`)
  return [...output.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop = '']) => hop)
}
