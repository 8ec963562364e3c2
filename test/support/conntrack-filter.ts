/** Which flows `conntrack -L` lists and `-D` deletes, as conntrack-tools reads its arguments. */
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'

/** @param line as `conntrack -L` prints it */
export function isMeant(line: string, args: readonly string[]): boolean {
  const wanted = new Map(pairsOf(args))
  const first = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(line)?.[1]
  const [protocol = '', number = ''] = line.split(/\s+/)
  const family = first('src')?.includes(':') ? 'ipv6' : 'ipv4'
  const holds: Record<string, (value: string) => boolean> = {
    '-f': (value) => value === family,
    '-p': (value) => [protocol, number].includes(value),
    '--dport': (value) => first('dport') === value,
    '--icmp-type': (value) => protocol === 'icmp' && first('type') === value,
    '--icmpv6-type': (value) => protocol === 'icmpv6' && first('type') === value,
    '--src': (value) => isUnder(first('src'), value, wanted.get('--mask-src')),
    '--dst': (value) => isUnder(first('dst'), value, wanted.get('--mask-dst')),
    '--mask-src': () => wanted.has('--src'),
    '--mask-dst': () => wanted.has('--dst'),
  }
  return [...wanted].every(([name, value]) => {
    const test = holds[name]
    if (test === undefined) throw new Error(`conntrack: unknown option ${name}`)
    return test(value)
  })
}

function pairsOf(args: readonly string[]): [string, string][] {
  return args.flatMap((name, index) => (index % 2 === 0 ? [[name, args[index + 1] ?? '']] : []))
}

function isUnder(address: string | undefined, network: string, mask: string | undefined): boolean {
  if (address === undefined) return false
  if (network.includes('/')) return Cidr.parse(network).contains(Ip.parse(address))
  const bits = mask === undefined ? -1n : Ip.parse(mask).value
  return ((Ip.parse(address).value ^ Ip.parse(network).value) & bits) === 0n
}
