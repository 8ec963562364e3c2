/** Any host: what is recorded of it, and what its kernel carries, which need not fit together. */
import fc from 'fast-check'
import type { HostState } from '../../host/host-state.ts'
import { linkNames } from '../../host/link-names.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import type { EndpointRecord } from '../../store/records.ts'
import type { FakeKernel } from '../support/fake-kernel.ts'
import { EMPTY_HOST, endpointOf, VAULT, WEB, wantedOf } from './host-fixtures.ts'
import { bringTo, makeLivedInKernel } from './lived-in-kernel.ts'

/** One pair of links; several may claim one address. */
interface RandomPair {
  /** The last byte of its address. */
  readonly address: number
  readonly internal: boolean
  readonly record: 'none' | 'joined' | 'left'
  readonly link: 'none' | 'here' | 'contained'
  readonly hasAddress: boolean
  readonly hasRoute: boolean
}

export interface RandomHost {
  readonly hasNetworks: boolean
  readonly pairs: readonly RandomPair[]
  /** The firewall that an earlier plan made, by its uplinks; undefined: none did. */
  readonly firewallOf: readonly string[] | undefined
  readonly forwarding: boolean
  /** Lines for tables of ours; those that make no sense where the host is do nothing. */
  readonly ipLines: readonly string[]
  readonly ruleLines: readonly (readonly [table: string, line: string])[]
}

const pair: fc.Arbitrary<RandomPair> = fc.record({
  address: fc.integer({ min: 2, max: 6 }),
  internal: fc.boolean(),
  record: fc.constantFrom('none', 'joined', 'left'),
  link: fc.constantFrom('none', 'here', 'contained'),
  hasAddress: fc.boolean(),
  hasRoute: fc.boolean(),
})

const ipLine = fc.constantFrom(
  'route delete unreachable 10.0.0.0/8 table 8200 protocol 82',
  'route delete blackhole 10.1.0.0/16 table 8200 protocol 82',
  'route add unreachable 10.1.0.0/16 table 8200 protocol 82',
  'route add unreachable 172.16.0.0/12 table 8200 protocol 82',
  'route add blackhole 10.1.17.4/32 table 8200 protocol 82',
  'rule delete to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82',
  'rule add to 172.16.0.0/12 lookup 8200 priority 8200 protocol 82',
)

const ruleLine = fc.constantFrom<(readonly [string, string])[]>(
  ['filter', ':ROMANA-FORWARD - [0:0]'],
  ['filter', '-A ROMANA-HOST -j ACCEPT'],
  ['filter', '-D ROMANA-HOST -j DROP'],
  ['filter', '-A FORWARD -j ROMANA-FORWARD'],
  ['filter', '-D FORWARD -j ROMANA-FORWARD'],
  ['filter', '-I FORWARD 1 -j ROMANA-FORWARD'],
  ['filter', '-A OUTPUT -j ROMANA-INPUT'],
  ['filter', '-I INPUT 1 -i lo -j ROMANA-INPUT'],
  ['filter', ':ROMANA-OLD - [0:0]'],
  ['filter', '-I ROMANA-FORWARD 1 -j ROMANA-OLD'],
  ['nat', '-D POSTROUTING -j ROMANA-POSTROUTING'],
  ['nat', '-I POSTROUTING 1 -j ROMANA-POSTROUTING'],
  ['raw', ':ROMANA-PREROUTING - [0:0]'],
  ['raw', '-A OUTPUT -j ROMANA-PREROUTING'],
)

export const randomHost: fc.Arbitrary<RandomHost> = fc.record({
  hasNetworks: fc.boolean(),
  pairs: fc.array(pair, { maxLength: 6 }),
  firewallOf: fc.option(fc.subarray(['eth0', 'wan0', 'wan1']), { nil: undefined }),
  forwarding: fc.boolean(),
  ipLines: fc.array(ipLine, { maxLength: 4 }),
  ruleLines: fc.array(ruleLine, { maxLength: 5 }),
})

/** What is recorded of the host. No address is recorded for two endpoints: the journal sees to that. */
export function wantedStateOf({ hasNetworks, pairs }: RandomHost): HostState {
  const endpoints = pairs.flatMap((one, index) => {
    const isTaken = pairs
      .slice(0, index)
      .some((other) => other.record !== 'none' && isSameAddress(one, other))
    return one.record === 'none' || isTaken ? [] : [recordOf(one, index)]
  })
  return desiredState({ ...EMPTY_HOST, networks: hasNetworks ? [WEB, VAULT] : [], endpoints })
}

function isSameAddress(a: RandomPair, b: RandomPair): boolean {
  return a.address === b.address && a.internal === b.internal
}

function recordOf({ address, internal, record }: RandomPair, index: number): EndpointRecord {
  const endpoint = internal
    ? endpointOf(VAULT, `10.1.19.${address}`, index + 1)
    : endpointOf(WEB, `10.1.17.${address}`, index + 1)
  return { ...endpoint, joined: record === 'joined' }
}

/** A lived-in kernel with what the host carries of ours. */
export async function kernelOf(host: RandomHost): Promise<FakeKernel> {
  const kernel = makeLivedInKernel()
  if (host.firewallOf !== undefined) await bringTo(wantedOf([WEB], [], host.firewallOf), kernel)
  kernel.setForwarding(host.forwarding)
  for (const [index, one] of host.pairs.entries()) makePair(kernel, one, index)
  for (const line of host.ipLines) attempt(() => kernel.ip(line))
  for (const [table, line] of host.ruleLines) {
    attempt(() => kernel.iptablesRestore(4, `*${table}\n${line}\nCOMMIT\n`))
  }
  return kernel
}

function makePair(kernel: FakeKernel, one: RandomPair, index: number): void {
  if (one.link === 'none') return
  const { hostLink, containerLink } = linkNames(one.internal ? 'internal' : 'routed', index + 1)
  const net = one.internal ? '10.1.19' : '10.1.17'
  kernel.ip(`link add name ${hostLink} mtu 1500 type veth peer name ${containerLink} mtu 1500`)
  kernel.ip(`link set dev ${hostLink} up`)
  if (one.hasAddress) kernel.ip(`address add ${net}.1/32 dev ${hostLink}`)
  const route = `route add ${net}.${one.address}/32 dev ${hostLink} table 8200 protocol 82`
  if (one.hasRoute) attempt(() => kernel.ip(route))
  if (one.link === 'contained') kernel.enterContainer(containerLink)
}

/** What somebody tries may be impossible where the host is. */
function attempt(change: () => void): void {
  try {
    change()
  } catch {
    // Then it is not done.
  }
}
