/**
 * The rules of published ports, in chains of their own: they are the only ones that grow with containers, so that one small
 * restore changes them. The chains are always there; `firewall.ts` has the constant rules that lead to them. Pure.
 */
import { hostCidr } from '../address/cidr.ts'
import { type Family, formatAddressPort, Ip } from '../address/ip.ts'
import type { Chain } from './host-state.ts'
import type { IptablesProgram } from './iptables-variant.ts'
import { CHAIN_PREFIX } from './marks.ts'
import type { RestoreText } from './plan-firewall.ts'

/** In filter: what was translated and may pass. In nat: what is translated. */
export const PORTS = `${CHAIN_PREFIX}PORTS`
/** In nat: what was translated and needs another source, or the answer would go another way. */
export const HAIRPIN = `${CHAIN_PREFIX}HAIRPIN`

/** A port of this host that leads to a port of an endpoint. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** An address of this host; 0.0.0.0 or :: for all of them. */
  readonly hostAddress: Ip
  readonly hostPort: number
  /** The endpoint's, of the same family unless the host's is loopback. */
  readonly address: Ip
  readonly containerPort: number
  /** Segments that the endpoint's container answers by another link, on whatever host: as rules name them. */
  readonly otherSegments: readonly string[]
}

export interface PortChains {
  readonly filter: Chain
  readonly nat: readonly [Chain, Chain]
}

export function portChains(family: Family, ports: readonly PortRule[]): PortChains {
  const ofFamily = ports.filter(({ hostAddress }) => hostAddress.family === family)
  const translated = ofFamily.filter(({ hostAddress }) => !isLoopback(hostAddress))
  return {
    filter: { name: PORTS, rules: distinct(translated.map(acceptance)) },
    nat: [
      {
        name: PORTS,
        rules: translated.length === 0 ? [] : [...NOT_OURS[family], ...translated.map(translation)],
      },
      { name: HAIRPIN, rules: distinct(translated.flatMap(rewriting)) },
    ],
  }
}

/** Replaces both tables' chains of a family and touches nothing else. */
export function planPortChains(program: IptablesProgram, ports: readonly PortRule[]): RestoreText {
  const { filter, nat } = portChains(program.family, ports)
  return { program, text: `${tableText('filter', [filter])}${tableText('nat', nat)}` }
}

/** Addresses that never leave this host, as rules name them. */
export const LOOPBACK = { 4: '127.0.0.0/8', 6: '::1/128' } as const

/** Whether the address is one of {@link LOOPBACK}: its ports are not translated but passed on by the plugin. */
export function isLoopback(address: Ip): boolean {
  return address.family === 4 ? address.value >> 24n === 127n : address.value === 1n
}

const TRANSLATION =
  /^(?:-d (?<to>[\da-f.:]+)\/(?:32|128) )?-p (?<protocol>tcp|udp|sctp) -m \w+ --dport (?<hostPort>\d+) -j DNAT --to-destination \[?(?<address>[\da-f.:]+?)\]?:(?<containerPort>\d+)$/

/** What a rule translates, as it was written by {@link portChains}; undefined for others. */
export function readTranslation(rule: string): Omit<PortRule, 'otherSegments'> | undefined {
  const { to, protocol, hostPort, address: text, containerPort } = TRANSLATION.exec(rule)?.groups ?? {}
  if (text === undefined) return undefined
  const address = Ip.parse(text)
  return {
    protocol: protocol === 'tcp' || protocol === 'udp' ? protocol : 'sctp',
    hostAddress: to === undefined ? Ip.of(address.family, 0n) : Ip.parse(to),
    hostPort: Number(hostPort),
    address,
    containerPort: Number(containerPort),
  }
}

/**
 * A port of 127.0.0.1 is translated nowhere: that would need route_localnet, which opens loopback to the neighbours. Nor is
 * what comes from a link-local address: no kernel forwards that.
 */
const NOT_OURS = {
  4: ['-m addrtype ! --dst-type LOCAL -j RETURN', `-d ${LOOPBACK[4]} -j RETURN`],
  6: ['-m addrtype ! --dst-type LOCAL -j RETURN', `-d ${LOOPBACK[6]} -j RETURN`, '-s fe80::/10 -j RETURN'],
} as const

function translation({ protocol, hostAddress, hostPort, address, containerPort }: PortRule): string {
  const to = hostAddress.value === 0n ? '' : `-d ${hostCidr(hostAddress)} `
  return `${to}${matching(protocol, hostPort)} -j DNAT --to-destination ${formatAddressPort(address, containerPort)}`
}

function acceptance({ protocol, address, containerPort }: PortRule): string {
  return `-d ${hostCidr(address)} ${matching(protocol, containerPort)} -j ACCEPT`
}

/**
 * A container that calls itself by a port of its host would get its own address as the caller's. And one that has a link in
 * the caller's segment too would answer by that link, with a source that belongs to the other.
 */
function rewriting({ address, otherSegments }: PortRule): string[] {
  return [hostCidr(address), ...otherSegments].map(
    (source) => `-s ${source} -d ${hostCidr(address)} -j MASQUERADE`,
  )
}

function matching(protocol: PortRule['protocol'], port: number): string {
  return `-p ${protocol} -m ${protocol} --dport ${port}`
}

function tableText(table: string, chains: readonly Chain[]): string {
  const lines = [
    ...chains.map(({ name }) => `:${name} - [0:0]`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
  ]
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`
}

function distinct(rules: readonly string[]): string[] {
  return [...new Set(rules)]
}
