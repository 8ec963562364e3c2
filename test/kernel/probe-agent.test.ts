/** The prober of the truth table on the real kernel: it tells what arrives, what is refused and what gets lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { namespacePath } from '../../lab/lab-names.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { PROBES, type ProbeAgent, startProbeAgent } from '../truth-table/probe-agent.ts'

/** How long answers are waited for, in milliseconds. */
const PATIENCE_MS = 500
const ALL = { first: 0, last: 65_535 }

describe.each([
  {
    family: 'IPv4',
    near: '192.0.2.2',
    far: '198.51.100.2',
    gateway: ['192.0.2.1', '198.51.100.1'],
    length: 24,
  },
  {
    family: 'IPv6',
    near: '2001:db8:1::2',
    far: '2001:db8:2::2',
    gateway: ['2001:db8:1::1', '2001:db8:2::1'],
    length: 64,
  },
])('two agents, with a router between them, over $family', ({ family, near, far, gateway, length }) => {
  const set = makeNetnsSet()
  let router: Netns
  let sender: ProbeAgent
  let receiver: ProbeAgent
  let token = 20_000

  beforeAll(async () => {
    router = await set.make('router')
    for (const name of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'])
      await router.run({ file: 'sysctl', args: ['-qw', `${name}=1`] })
    sender = await attach('near', near, gateway[0])
    receiver = await attach('far', far, gateway[1])
  })
  afterAll(() => set.removeAll())

  it('every probe arrives with the address of its sender, and is answered', async () => {
    expect(await probe()).toBe(
      ['tcp', 'udp', 'icmp', 'dns-tcp', 'dns']
        .map((name) => `${name} answered, came from ${near}`)
        .join('\n'),
    )
  })

  it('what a router drops is lost', async () => {
    await rule('ip daddr != 0.0.0.0 drop; ip6 daddr != :: drop')
    expect(await probe()).toBe(PROBES.map(({ name }) => `${name} nothing`).join('\n'))
  })

  it('what a router refuses is refused', async () => {
    await rule('reject')
    expect(await probe()).toBe(PROBES.map(({ name }) => `${name} refused`).join('\n'))
  })

  it('what arrives, and whose answer is dropped, has arrived', async () => {
    await rule(
      `ip saddr ${family === 'IPv4' ? far : '0.0.0.0'} drop; ip6 saddr ${family === 'IPv6' ? far : '::'} drop`,
    )
    expect(await probe()).toBe(PROBES.map(({ name }) => `${name} nothing, came from ${near}`).join('\n'))
  })

  it('a sender whose address is translated is seen with the other one', async () => {
    await rule('accept', 'masquerade')
    expect(await probe()).toBe(
      PROBES.map(({ name }) => `${name} answered, came from ${gateway[1]}`).join('\n'),
    )
    await rule('accept')
  })

  it('a sender without a way says so', async () => {
    const nobody = family === 'IPv4' ? '203.0.113.9' : '2001:db8:9::9'
    expect(await probe(nobody)).toBe(PROBES.map(({ name }) => `${name} unroutable`).join('\n'))
  })

  it('a stream goes on until it is ended, and is counted', async () => {
    const targets = PROBES.map((each) => ({ probe: each, address: far }))
    await receiver.arrivals(ALL)
    await sender.stream(60_001, targets)
    await sleep(1_000)
    await sender.stream(60_001, [])
    const arrivals = await receiver.arrivals(ALL)
    expect(arrivals).toHaveLength(PROBES.length)
    for (const { count } of arrivals) expect(count).toBeGreaterThanOrEqual(5)
    await sleep(200)
    expect(await receiver.arrivals(ALL)).toEqual([])
  })

  async function attach(role: string, address: string, via: string | undefined): Promise<ProbeAgent> {
    const netns = await set.make(role)
    const nodad = address.includes(':') ? ' nodad' : ''
    await router.ip(
      `link add ${role} type veth peer name eth0 netns ${netns.name}`,
      `link set ${role} addrgenmode none`,
      `address add ${via}/${length} dev ${role}${nodad}`,
      `address add fe80::1/64 dev ${role} nodad`,
      `link set ${role} up`,
    )
    await netns.ip(
      'link set eth0 addrgenmode none',
      `address add ${address}/${length} dev eth0${nodad}`,
      'address add fe80::2/64 dev eth0 nodad',
      'link set eth0 up',
    )
    const prefix = role === 'near' ? far : near
    await netns.ip(`route add ${prefix}/${length === 24 ? 32 : 128} via ${via}`)
    const agent = await startProbeAgent(namespacePath(netns.name))
    set.defer(async () => await agent[Symbol.asyncDispose]())
    return agent
  }

  /** What the router does to what it forwards. */
  async function rule(forward: string, postrouting = 'accept'): Promise<void> {
    const input = `flush ruleset
      table inet test {
        chain forward { type filter hook forward priority 0; ${forward}; }
        chain postrouting { type nat hook postrouting priority 100; ${postrouting}; }
      }`
    await router.run({ file: 'nft', args: ['-f', '-'], input })
  }

  /** Each probe with its answer, and as whom it was seen at the receiver. */
  async function probe(address = far): Promise<string> {
    token += 1
    await sender.send(
      token,
      PROBES.map((each) => ({ probe: each, address })),
    )
    await sleep(PATIENCE_MS)
    const answers = await sender.answers()
    const arrivals = (await receiver.arrivals(ALL)).filter((arrival) => arrival.token === token)
    return PROBES.map(({ name }, index) => {
      const sources = arrivals.filter((arrival) => arrival.probe.name === name).map(({ source }) => source)
      return [`${name} ${answers[index]}`, ...sources.map((source) => `came from ${source}`)].join(', ')
    }).join('\n')
  }
})
