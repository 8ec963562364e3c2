/** What is said of a flow in the kernel's mind is what the rules say of the packet that begins it. */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { isForbidden } from '../../host/flow-verdict.ts'
import { SEGMENT_MATCHES, type SegmentMatch } from '../../host/segment-rules.ts'
import { withPlaces } from '../../host/store-rules.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import { type JudgedHost, judgesOf } from '../../network-driver/flow-judges.ts'
import { EndpointPortsRecord } from '../../store/port-records.ts'
import { DB, EMPTY_HOST, endpointOf, networkOf, PLANS, VAULT, WEB } from '../host/host-fixtures.ts'
import { readChains, type WalkedPacket, walk } from '../support/iptables-walk.ts'
import type { OraclePolicy } from '../support/policy-oracle.ts'
import { policySets, recordsOf } from '../support/policy-world.ts'

const BLUE = networkOf('blue', '10.1.33.0/24')
/** Of the same segment as WEB, and internal. */
const INNER = networkOf('inner', '10.1.17.0/24', true)

const NETWORKS = [WEB, DB, VAULT, BLUE, INNER]
const ENDPOINTS = [
  endpointOf(WEB, '10.1.17.2', 1),
  endpointOf(DB, '10.1.18.2', 2),
  endpointOf(VAULT, '10.1.19.2', 3),
  endpointOf(BLUE, '10.1.33.2', 4),
  endpointOf(INNER, '10.1.17.9', 5),
]

const PORTS = [
  ['2', 'tcp', 8080, 7400],
  ['4', 'udp', 5353, 53],
].map(([endpointId, protocol, hostPort, containerPort]) =>
  v.parse(EndpointPortsRecord, {
    endpointId,
    ports: [{ protocol, hostAddress: '0.0.0.0', hostPort, containerPort }],
  }),
)

/** Who sends or answers, and by which link; "" for the host itself. */
const PLACES: Readonly<Record<string, string>> = {
  '10.1.17.2': 'rmne1',
  '10.1.18.2': 'rmne2',
  '10.1.19.2': 'rmni3',
  '10.1.33.2': 'rmne4',
  '10.1.17.9': 'rmni5',
  '10.2.17.5': 'eth0',
  '10.2.18.5': 'eth0',
  '10.2.33.5': 'eth0',
  '192.0.2.254': 'eth0',
  '172.17.0.2': 'docker0',
  '192.0.2.1': '',
  '10.1.17.1': '',
  '172.17.0.1': '',
  '127.0.0.53': '',
}
const ADDRESSES = Object.keys(PLACES)
const OWN = ['192.0.2.1', '172.17.0.1'].map((text) => ({
  link: 'any',
  address: Ip.parse(text),
  prefixLength: 24,
  isGlobal: true,
}))
const ROUTES = ['192.0.2.0/24 eth0', '172.17.0.0/16 docker0', '0.0.0.0/0 eth0'].map((text) => {
  const [destination = '', link = ''] = text.split(' ')
  return { destination: Cidr.parse(destination), link, metric: 0 }
})
const SEEN = { addresses: OWN, linkAddresses: [], mainRoutes: ROUTES, defaultLinks: ['eth0'] }
const STORES = withPlaces(
  [
    { address: Ip.parse('192.0.2.1'), port: 2379 },
    { address: Ip.parse('192.0.2.254'), port: 7400 },
  ],
  SEEN,
)

const service: fc.Arbitrary<GeneratedFlow['service']> = fc.oneof(
  fc.record({
    protocol: fc.constantFrom('tcp', 'udp'),
    port: fc.constantFrom(53, 7400, 2379, 8080),
    type: fc.constant(0),
  }),
  fc.record({ protocol: fc.constant('icmp'), port: fc.constant(0), type: fc.constantFrom(8, 3) }),
)
interface GeneratedFlow {
  readonly source: string
  readonly server: string
  readonly service: Pick<WalkedPacket, 'protocol' | 'port' | 'type'>
  /** Where it was sent first, when it was translated. */
  readonly called: WalkedPacket['sentTo']
}

const flows: fc.Arbitrary<GeneratedFlow> = fc
  .record({
    source: fc.constantFrom(...ADDRESSES.filter((address) => PLACES[address] !== '')),
    server: fc.constantFrom(...ADDRESSES),
    service,
    called: fc.option(
      fc.record({
        destination: fc.constantFrom('192.0.2.1', '10.1.17.1'),
        port: fc.constantFrom(8080, 2379, 80),
      }),
      { nil: undefined, freq: 2 },
    ),
  })
  .filter(({ source, server }) => source !== server && !(isElsewhere(source) && isElsewhere(server)))

function isElsewhere(address: string): boolean {
  return address.startsWith('10.2.')
}

interface World {
  readonly policies: OraclePolicy[]
  readonly isHostOpen: boolean
  readonly isCluster: boolean
  readonly segmentMatch: SegmentMatch
}

const worlds: fc.Arbitrary<World> = fc.record({
  policies: policySets,
  isHostOpen: fc.boolean(),
  isCluster: fc.boolean(),
  segmentMatch: fc.constantFrom(...SEGMENT_MATCHES),
})

const EMPTY_WORLD: World = { policies: [], isHostOpen: false, isCluster: false, segmentMatch: 'bpf' }

function byRules(world: World): (flow: GeneratedFlow) => boolean {
  const { firewall } = desiredState({
    ...EMPTY_HOST,
    ...recordsOfWorld(world),
    segmentMatch: world.segmentMatch,
    ...(world.isCluster && { cluster: { peers: [], stores: STORES, mainRoutes: ROUTES } }),
  })
  const chainsOf = (wanted: string) => {
    const found = firewall.find(({ family, table }) => family === 4 && table === wanted)
    return readChains(new Map(found?.chains.map(({ name, rules }) => [name, rules])))
  }
  const [raw, filter] = [chainsOf('raw'), chainsOf('filter')]
  return ({ source, server, service: { protocol, port, type }, called }) => {
    const [from = '', to = ''] = [PLACES[source], PLACES[server]]
    const packet: WalkedPacket = {
      source,
      destination: server,
      in: from,
      out: to,
      protocol,
      port,
      type,
      ...(called && protocol !== 'icmp' && { sentTo: called }),
    }
    return (
      walk(raw, 'ROMANA-PREROUTING', { ...packet, ...packet.sentTo }) === 'DROP' ||
      walk(filter, to === '' ? 'ROMANA-INPUT' : 'ROMANA-FORWARD', packet) === 'DROP'
    )
  }
}

function byVerdict(world: World): (flow: GeneratedFlow) => boolean {
  const host: JudgedHost = {
    ...recordsOfWorld(world),
    plans: PLANS,
    stores: world.isCluster ? STORES : [],
    uplinks: undefined,
    seen: SEEN,
  }
  const judges = judgesOf(host, PLANS.ipv4)
  return ({ source, server, service: { protocol, port, type }, called }) => {
    const isIcmp = protocol === 'icmp'
    const sentTo = isIcmp ? undefined : called
    return isForbidden(judges, {
      protocol,
      source: Ip.parse(source),
      destination: Ip.parse(sentTo?.destination ?? server),
      server: Ip.parse(server),
      ...(isIcmp ? { icmpType: type } : { port: sentTo?.port ?? port, serverPort: port }),
    })
  }
}

function recordsOfWorld({ policies, isHostOpen }: World) {
  return {
    networks: NETWORKS,
    endpoints: ENDPOINTS,
    ports: PORTS,
    policies: recordsOf(policies),
    isHostOpen,
  }
}

/** What it is, the flow, and what is special about the world. */
type Case = readonly [what: string, flow: string, world: Partial<World>]

describe('the verdict of a flow', () => {
  test('is what the rules say of its first packet, in whatever world', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(worlds, fc.array(flows, { minLength: 100, maxLength: 100 }), (world, all) => {
        const [rules, verdict] = [byRules(world), byVerdict(world)]
        expect(all.filter((flow) => verdict(flow) !== rules(flow)).map(show)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  const WELL: readonly Case[] = [
    ['a name asked of the own host', 'udp 10.1.17.2 > 192.0.2.1 53', {}],
    ['a service of an open host', 'tcp 10.1.17.2 > 192.0.2.1 7400', { isHostOpen: true }],
    ['a ping of the own host, from an internal network', 'icmp 10.1.19.2 > 192.0.2.1 8', {}],
    ['a published port', 'tcp 192.0.2.254 > 10.1.18.2 7400 by 192.0.2.1 8080', {}],
    ['what a container of Docker publishes', 'tcp 10.1.17.2 > 172.17.0.2 7400 by 192.0.2.1 80', {}],
    ['the way out', 'tcp 10.1.17.2 > 192.0.2.254 80', {}],
    ['what does not concern the plan', 'tcp 192.0.2.254 > 172.17.0.2 80', {}],
  ]
  test.each(WELL)('leaves %s alone', (_what, flow, world) => {
    expect(verdictsOf(flow, world)).toEqual([false, false])
  })

  const FORBIDDEN: readonly Case[] = [
    ['a name that a container of another host asks of this one', 'udp 10.2.17.5 > 192.0.2.1 53', {}],
    ['its ping', 'icmp 10.2.17.5 > 192.0.2.1 8', {}],
    ['its call of an open host', 'tcp 10.2.17.5 > 192.0.2.1 7400', { isHostOpen: true }],
    [
      'a call of an open host from an internal network',
      'tcp 10.1.19.2 > 192.0.2.1 7400',
      { isHostOpen: true },
    ],
    ['a name that an internal network asks of its host', 'udp 10.1.19.2 > 192.0.2.1 53', {}],
    ['the way out of an internal network', 'tcp 10.1.19.2 > 192.0.2.254 80', {}],
    ['an outsider who calls a gateway', 'tcp 192.0.2.254 > 10.1.17.1 7400', { isHostOpen: true }],
    ['a port that only somebody else has translated', 'tcp 192.0.2.254 > 10.1.17.2 7400 by 192.0.2.1 80', {}],
    ['a container of Docker, called by its own address', 'tcp 10.1.17.2 > 172.17.0.2 7400', {}],
    ['the store outside', 'tcp 10.1.17.2 > 192.0.2.254 7400', { isCluster: true }],
    ['the store of an open host', 'tcp 10.1.17.2 > 172.17.0.1 2379', { isCluster: true, isHostOpen: true }],
  ]
  test.each(FORBIDDEN)('cuts %s', (_what, flow, world) => {
    expect(verdictsOf(flow, world)).toEqual([true, true])
  })
})

/** Of the verdict and of the rules. */
function verdictsOf(text: string, change: Partial<World>): boolean[] {
  const [protocol, source = '', , server = '', number, , destination, calledPort] = text.split(' ')
  const isIcmp = protocol === 'icmp'
  const flow: GeneratedFlow = {
    source,
    server,
    service: {
      protocol: isIcmp || protocol === 'udp' ? protocol : 'tcp',
      port: isIcmp ? 0 : Number(number),
      type: isIcmp ? Number(number) : 0,
    },
    called: destination === undefined ? undefined : { destination, port: Number(calledPort) },
  }
  const world = { ...EMPTY_WORLD, ...change }
  return [byVerdict(world)(flow), byRules(world)(flow)]
}

function show({ source, server, service: { protocol, port, type }, called }: GeneratedFlow): string {
  const by = called === undefined ? '' : ` by ${called.destination} ${called.port}`
  return `${protocol} ${source} > ${server} ${port || type}${by}`
}
