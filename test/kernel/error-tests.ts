/** ICMP errors: whose are believed. A forged "fragmentation needed" shrinks a stranger's path MTU, and others end what he began. */
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EndpointPortsRecord } from '../../store/port-records.ts'
import { fragmentationNeeded, frame, ipv4, udp } from '../support/frames.ts'
import type { Netns } from '../support/netns.ts'
import { PORT } from '../support/netns-member.ts'
import type { OraclePolicy } from '../support/policy-oracle.ts'
import { recordsOf } from '../support/policy-world.ts'
import { linkTo, sendFrames } from '../support/send-frames.ts'
import { type SmallWorld, wantedInSmallWorld } from './small-world.ts'

const AT = {
  web1: '10.1.17.2',
  web2: '10.1.17.3',
  blue: '10.1.33.2',
  docker: '172.17.0.2',
  host: '192.0.2.1',
  outside: '192.0.2.254',
} as const
type Name = keyof typeof AT

/** Ports of the host. */
const OF_ROMANA = 8081
const OF_DOCKER = 8080
/** Nobody listens there. */
const SILENT = 9

/** The ports of those who call, one for each flow. */
const FLOWS: readonly (readonly [from: Name, port: number, to: Name, port: number])[] = [
  ['web1', 4001, 'outside', PORT],
  ['outside', 4002, 'host', OF_DOCKER],
  ['outside', 4003, 'host', OF_ROMANA],
  ['host', 4004, 'outside', PORT],
]

interface Forgery {
  readonly by: 'blue' | 'docker'
  /** To whom the error goes. */
  readonly to: Name
  /** The packet that it speaks of, as it is where NAT has not yet come to it. */
  readonly about: readonly [from: Name, port: number, to: Name, port: number]
  /** Who gets it where nothing keeps it off. */
  readonly reaches: Name
}

const FORGERIES: readonly Forgery[] = [
  ...(['blue', 'docker'] as const).flatMap((by): Forgery[] => [
    { by, to: 'outside', about: ['outside', PORT, 'web1', 4001], reaches: 'outside' },
    { by, to: 'outside', about: ['outside', 4003, 'web1', PORT], reaches: 'outside' },
    { by, to: 'web1', about: ['web1', 4001, 'outside', PORT], reaches: 'web1' },
    { by, to: 'host', about: ['host', OF_ROMANA, 'outside', 4003], reaches: 'web1' },
  ]),
  { by: 'blue', to: 'host', about: ['host', OF_DOCKER, 'outside', 4002], reaches: 'docker' },
  { by: 'blue', to: 'host', about: ['host', 4004, 'outside', PORT], reaches: 'host' },
]

/** As Docker publishes a port of a bridge container. */
const DOCKER_PORT = `*filter
-I FORWARD -d ${AT.docker} -p udp --dport ${PORT} -j ACCEPT
COMMIT
*nat
-A PREROUTING -p udp --dport ${OF_DOCKER} -m addrtype --dst-type LOCAL -j DNAT --to-destination ${AT.docker}:${PORT}
COMMIT
`

const ALL_PASSES = `*filter
-I ROMANA-FORWARD -j ACCEPT
-I ROMANA-HOST -j ACCEPT
COMMIT
`

const OPEN_TO_ALL: readonly OraclePolicy[] = [
  {
    name: 'web-for-all',
    direction: 'ingress',
    appliesTo: [{ tenant: 'red', segment: 'web' }],
    peers: [{ peer: 'any' }],
  },
  {
    name: 'host-for-blue',
    direction: 'egress',
    appliesTo: [{ tenant: 'blue' }],
    peers: [{ peer: 'host' }],
  },
]

/** The kernel of who has it notes each error that comes, behind all other rules. */
const NOTE_ERRORS = `table inet errors {
  set seen { type ipv4_addr . icmp_code; flags dynamic; size 64; }
  chain come {
    type filter hook input priority 300;
    icmp type destination-unreachable update @seen { ip saddr . icmp code }
  }
}
`
const NOTED: readonly Name[] = ['web1', 'docker', 'host', 'outside']

export function testErrors(world: () => SmallWorld): void {
  const netnsOf = (name: Name) => world().member(name).netns
  const published = v.parse(EndpointPortsRecord, {
    endpointId: '1',
    ports: [OF_ROMANA, OF_ROMANA + 1].map((hostPort, index) => ({
      protocol: 'udp',
      hostAddress: '0.0.0.0',
      hostPort,
      containerPort: [PORT, SILENT][index],
    })),
  })
  const usual = { ports: [published] }

  beforeAll(async () => {
    await world().kernel.restore(DOCKER_PORT)
    await world().kernel.bringTo(wantedInSmallWorld(usual))
    for (const name of NOTED) await netnsOf(name).run({ file: 'nft', args: ['-f', '-'], input: NOTE_ERRORS })
  })
  afterAll(() => world().kernel.bringTo(world().wanted))

  /** The kernel keeps a flow in mind for half a minute. */
  async function startFlows(): Promise<void> {
    const answers = FLOWS.map(([from, port, to, toPort]) => call(netnsOf(from), port, AT[to], toPort))
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^saw /)
  }

  /** Of each forgery who got it: a line where somebody did. */
  async function forge(): Promise<string> {
    await startFlows()
    const lines: string[] = []
    for (const forgery of FORGERIES) {
      const gotBy = await errorsWhile(() => sendForgery(netnsOf(forgery.by), forgery))
      if (gotBy !== '') lines.push(`${forgery.by}, of ${forgery.about.join(' ')}: ${gotBy}`)
    }
    return lines.join('\n')
  }

  /** "web1 from 192.0.2.254 port-unreachable" of each that comes to somebody. */
  async function errorsWhile(send: () => Promise<unknown>): Promise<string> {
    await takeErrors()
    await send()
    return await takeErrors()
  }

  async function takeErrors(): Promise<string> {
    const lines = NOTED.map(async (name) =>
      (await errorsAt(netnsOf(name))).map((error) => `${name} from ${error}`),
    )
    return (await Promise.all(lines)).flat().join(', ')
  }

  test('no error is believed that somebody makes of a flow that is not its own', async () => {
    expect(await forge()).toBe('')
  })

  test('nor where a policy lets everything in, or the host is open', async () => {
    await world().kernel.bringTo(
      wantedInSmallWorld({ ...usual, isHostOpen: true, policies: recordsOf(OPEN_TO_ALL) }),
    )
    expect(await forge()).toBe('')
  })

  test('within a segment, and from outside, errors come', async () => {
    for (const policies of [[], recordsOf(OPEN_TO_ALL)]) {
      await world().kernel.bringTo(wantedInSmallWorld({ ...usual, policies }))
      const callSilent = (to: Name) => call(netnsOf('web1'), 4009, AT[to], SILENT)
      expect(await errorsWhile(() => callSilent('web2'))).toBe('web1 from 10.1.17.3 port-unreachable')
      expect(await errorsWhile(() => callSilent('outside'))).toBe('web1 from 192.0.2.254 port-unreachable')
    }
  })

  test('who calls a published port from outside is not told that nobody listens', async () => {
    const callSilent = () => call(netnsOf('outside'), 4010, AT.host, OF_ROMANA + 1)
    expect(await errorsWhile(callSilent)).toBe('')
  })

  test('the forgeries come where our rules let everything pass', async () => {
    await world().kernel.restore(ALL_PASSES)
    expect(await forge()).toBe(
      FORGERIES.map(({ by, about, reaches }) => {
        const source = reaches === 'outside' ? AT.host : AT[by]
        return `${by}, of ${about.join(' ')}: ${reaches} from ${source} frag-needed`
      }).join('\n'),
    )
  })
}

/** What comes back over UDP. */
async function call({ run }: Netns, port: number, to: string, toPort: number): Promise<string> {
  const script = `echo flow | nc -u -p ${port} -w 1 ${to} ${toPort} || true`
  return await run({ file: 'sh', args: ['-c', script] })
}

async function sendForgery(
  netns: Netns,
  { by, to, about: [from, port, back, backPort] }: Forgery,
): Promise<void> {
  const link = await linkTo(netns, by === 'blue' ? '10.1.33.1' : '172.17.0.1')
  const addresses = { source: AT[from], destination: AT[back] }
  const inner = ipv4(addresses, 'udp', udp(addresses, [port, backPort], 'long'), { dscp: 0 })
  const error = fragmentationNeeded(600, inner)
  const packet = ipv4({ source: AT[by], destination: AT[to] }, 'icmp', error, { dscp: 0 })
  await sendFrames(netns, [frame(link, 'ipv4', packet)])
}

/** Since the last time: "192.0.2.1 frag-needed". */
async function errorsAt({ run }: Netns): Promise<string[]> {
  const text = await run({ file: 'nft', args: ['list', 'set', 'inet', 'errors', 'seen'] })
  await run({ file: 'nft', args: ['flush', 'set', 'inet', 'errors', 'seen'] })
  const elements = /elements = \{ ([^}]*) \}/.exec(text)?.[1] ?? ''
  return elements
    .split(',')
    .map((element) => element.trim().replace(' . ', ' '))
    .filter((element) => element !== '')
}
