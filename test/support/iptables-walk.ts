/** What rules in the form of `iptables-save` do with one packet that begins a flow. Throws on a match that it does not know. */
import { runClassicBpf } from '../host/classic-bpf.ts'

export interface WalkedPacket {
  readonly source: string
  readonly destination: string
  /** "" for the host itself. */
  readonly in: string
  readonly out: string
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmp6'
  readonly port: number
  readonly type: number
  /** Where it was sent before it was translated (DNAT). */
  readonly sentTo?: { readonly destination: string; readonly port: number }
}

interface Rule {
  readonly matches: readonly ((packet: WalkedPacket) => boolean)[]
  readonly way: string
  readonly target: string
}

export type Chains = ReadonlyMap<string, readonly Rule[]>

export function readChains(chains: ReadonlyMap<string, readonly string[]>): Chains {
  return new Map(
    [...chains].map(([name, rules]) => [
      name,
      rules.filter((rule) => !ONLY_CHANGES.test(rule)).map(readRule),
    ]),
  )
}

/** Rules that change a packet and judge nothing. */
const ONLY_CHANGES = / -j TCPMSS /

/** The verdict of a chain, or "RETURN" at its end. */
export function walk(chains: Chains, chain: string, packet: WalkedPacket): string {
  const rules = chains.get(chain)
  if (rules === undefined) throw new Error(`There is no chain ${chain}`)
  for (const { matches, way, target } of rules) {
    if (!matches.every((match) => match(packet))) continue
    if (['ACCEPT', 'DROP', 'RETURN'].includes(target)) return target
    const verdict = walk(chains, target, packet)
    if (verdict !== 'RETURN' || way === 'g') return verdict
  }
  return 'RETURN'
}

function readRule(text: string): Rule {
  const [, matches = '', way = '', target = ''] = /^(.*?) ?-([jg]) (\S+)$/.exec(text) ?? []
  return { matches: readMatches(matches), way, target }
}

function readMatches(text: string): Rule['matches'] {
  const pairs = text.matchAll(/(! )?(-\S+)(?: (! )?("[^"]*"|[^-!]\S*))?/g)
  return [...pairs].map(([, before, option = '', between, value = '']) => {
    const holds = MATCHES[option]
    if (holds === undefined) throw new Error(`The match "${option}" is not known: ${text}`)
    const isNegated = before !== undefined || between !== undefined
    return (packet) => holds(value, packet) !== isNegated
  })
}

const MATCHES: Readonly<Record<string, (value: string, packet: WalkedPacket) => boolean>> = {
  '-s': (value, { source }) => isIn(value, source),
  '-d': (value, { destination }) => isIn(value, destination),
  '-i': (value, packet) => isLink(value, packet.in),
  '-o': (value, packet) => isLink(value, packet.out),
  '-p': (value, { protocol }) => value === protocol,
  '-m': () => true,
  '--ctstate': (value, { sentTo }) => {
    const states = ['NEW', ...(sentTo === undefined ? [] : ['DNAT'])]
    return value.split(',').some((state) => states.includes(state))
  },
  // No source here is forged.
  '--invert': () => false,
  // Nobody here is another host.
  '--match-set': () => false,
  // A packet that begins a flow has its addresses and is of its caller.
  '--ctorigsrc': (value, { source }) => isIn(value, source),
  '--ctreplsrc': (value, { destination }) => isIn(value, destination),
  '--ctorigdst': (value, { destination, sentTo }) => isIn(value, sentTo?.destination ?? destination),
  '--ctorigdstport': (value, { port, sentTo }) => Number(value) === (sentTo?.port ?? port),
  '--ctdir': (value) => value === 'ORIGINAL',
  '--icmp-type': (value, { type }) => Number(value) === type,
  '--dport': (value, { port }) => isPort(value, port),
  '--dports': (value, { port }) => value.split(',').some((range) => isPort(range, port)),
  '--bytecode': (value, packet) => runClassicBpf(value.replaceAll('"', ''), headerOf(packet)) !== 0,
}

function isIn(value: string, address: string): boolean {
  const [network = '', mask = '32'] = value.split('/')
  const bits = mask.includes('.') ? numberOf(mask) : (0xffff_ffff << (32 - Number(mask))) >>> 0
  return ((numberOf(address) ^ numberOf(network)) & bits) === 0
}

function isLink(value: string, link: string): boolean {
  return value.endsWith('+') ? link.startsWith(value.slice(0, -1)) : link === value
}

function isPort(value: string, port: number): boolean {
  const [first, last = first] = value.split(':')
  return Number(first) <= port && port <= Number(last)
}

function headerOf({ source, destination }: WalkedPacket): DataView {
  const header = new DataView(new ArrayBuffer(20))
  header.setUint32(12, numberOf(source))
  header.setUint32(16, numberOf(destination))
  return header
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0) >>> 0
}
