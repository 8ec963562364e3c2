/**
 * What the document of a set of policies says of one packet, by its words (docs/policies.md): names and addresses as text only. It
 * shares no code with the product and knows nothing of rules.
 */

/** Where a packet comes from or goes to. */
export interface Place {
  readonly name: string
  readonly kind: 'endpoint' | 'host' | 'outside'
  readonly address: string
  /** Of endpoints. */
  readonly tenant?: string
  readonly segment?: string
  readonly isInternal?: boolean
}

export interface Packet {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmp6'
  /** Of TCP and UDP. */
  readonly port: number
  /** Of ICMP. */
  readonly type: number
}

export interface OraclePeer {
  readonly peer?: string
  readonly cidr?: string
  readonly except?: readonly string[]
  readonly tenant?: string
  readonly segment?: string
}

export interface OracleRule {
  readonly protocol: string
  readonly ports?: readonly (number | string)[]
  readonly types?: readonly number[]
}

export interface OraclePolicy {
  readonly name: string
  readonly direction: string
  readonly appliesTo: readonly { readonly tenant: string; readonly segment?: string }[]
  readonly default?: string
  readonly peers?: readonly OraclePeer[]
  readonly rules?: readonly OracleRule[]
}

/** Whether the first packet of a flow arrives. */
export function arrives(policies: readonly OraclePolicy[], from: Place, to: Place, packet: Packet): boolean {
  if (from.kind === 'host') return true
  const out = judge(policies, 'egress', from, to, packet)
  if (from.kind === 'endpoint' && out === 'denied') return false
  if (to.kind === 'host')
    return from.kind === 'endpoint' && (isUsualOfHost(from, packet) || opensHost(policies, from, packet))
  const isSameSegment =
    from.kind === 'endpoint' &&
    to.kind === 'endpoint' &&
    from.tenant === to.tenant &&
    from.segment === to.segment
  if ((from.isInternal === true || to.isInternal === true) && !isSameSegment) return false
  if (to.kind === 'outside') return true
  const into = judge(policies, 'ingress', to, from, packet)
  return into === 'allowed' || (into === 'unsaid' && isSameSegment)
}

function judge(
  policies: readonly OraclePolicy[],
  direction: string,
  own: Place,
  other: Place,
  packet: Packet,
): 'allowed' | 'denied' | 'unsaid' {
  const ours = policies.filter((policy) => policy.direction === direction && applies(policy, own))
  if (ours.some((policy) => allows(policy, own, other, packet))) return 'allowed'
  return ours.some((policy) => policy.default === 'deny') ? 'denied' : 'unsaid'
}

function applies({ appliesTo }: OraclePolicy, place: Place): boolean {
  return appliesTo.some((named) => isOne(named, place))
}

function isOne(named: { readonly tenant?: string; readonly segment?: string }, place: Place): boolean {
  return named.tenant === place.tenant && (named.segment === undefined || named.segment === place.segment)
}

function allows({ peers = [], rules }: OraclePolicy, own: Place, other: Place, packet: Packet): boolean {
  return peers.some((peer) => isPeer(peer, own, other)) && isAnyRule(rules, packet)
}

function isPeer(peer: OraclePeer, own: Place, place: Place): boolean {
  if (peer.peer === 'any') return true
  if (peer.peer === 'host') return place.kind === 'host' && own.isInternal !== true
  if (peer.tenant !== undefined) return place.kind === 'endpoint' && isOne(peer, place)
  return isIn(peer.cidr, place.address) && !(peer.except ?? []).some((part) => isIn(part, place.address))
}

function isAnyRule(rules: readonly OracleRule[] | undefined, packet: Packet): boolean {
  if (rules === undefined || rules.length === 0) return true
  return rules.some(({ protocol, ports = [], types = [] }) => {
    if (protocol === 'any') return true
    if (protocol !== packet.protocol) return false
    if (protocol === 'icmp' || protocol === 'icmp6') return types.length === 0 || types.includes(packet.type)
    return ports.length === 0 || ports.some((port) => isPort(port, packet.port))
  })
}

function isPort(said: number | string, port: number): boolean {
  const [first, last = first] = String(said).split('-')
  return Number(first) <= port && port <= Number(last)
}

function isIn(cidr: string | undefined, address: string): boolean {
  const [network = '', length = '0'] = (cidr ?? '').split('/')
  if (network.includes(':') !== address.includes(':')) return false
  const hostBits = BigInt((address.includes(':') ? 128 : 32) - Number(length))
  return numberOf(network) >> hostBits === numberOf(address) >> hostBits
}

function numberOf(address: string): bigint {
  if (!address.includes(':'))
    return address.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n)
  const [head = [], tail = []] = address
    .split('::')
    .map((half) => half.split(':').filter((part) => part !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].reduce((number, part) => number * 65_536n + BigInt(`0x${part}`), 0n)
}

/** What policies deny at most: answers to pings, and names but on internal networks. */
function isUsualOfHost({ isInternal = false }: Place, { protocol, port, type }: Packet): boolean {
  if (protocol === 'icmp') return type === 8
  return protocol === 'icmp6' ? type === 128 : port === 53 && !isInternal
}

function opensHost(policies: readonly OraclePolicy[], from: Place, packet: Packet): boolean {
  if (from.isInternal === true) return false
  return policies.some(
    ({ direction, appliesTo, peers = [], rules, ...rest }) =>
      direction === 'egress' &&
      applies({ direction, appliesTo, peers, ...rest }, from) &&
      peers.some(({ peer }) => peer === 'host') &&
      isAnyRule(rules, packet),
  )
}
