/**
 * A namespace that probes others and counts what comes: its kernel notes the source of every probe that would be
 * delivered, behind all other rules. So a probe is judged at its receiver, answered or not.
 */
import * as v from 'valibot'
import type { Netns, NetnsSet } from './netns.ts'
import { ProbeAnswer, type ProbeRequest, type Protocol } from './netns-probe.ts'

/** Every member serves this one. */
export const PORT = 7000
/** Served by who is told to. */
export const DNS_PORT = 53

export interface Member {
  readonly name: string
  readonly netns: Netns
  readonly address: string
  /** Sends a probe; gives what came back: "saw ADDRESS", "echo" or "nothing". */
  probe(
    protocol: Protocol | 'transfer',
    to: string,
    options?: { readonly from?: string; readonly port?: number },
  ): Promise<string>
  /** What has come since the last call, one "ADDRESS PROTOCOL" a line, sorted. */
  arrivals(): Promise<string>
}

export interface MemberSpec {
  readonly name: string
  readonly netns: Netns
  readonly address: string
  readonly ports?: readonly number[]
}

/** Behind the filter of iptables, whose priority is 0. */
const NOTE_ARRIVALS = `table inet probe {
  set arrived { type ipv4_addr . inet_proto; flags dynamic; size 4096; }
  set arrived6 { type ipv6_addr . inet_proto; flags dynamic; size 4096; }
  chain arrivals {
    type filter hook input priority 300;
    icmp type echo-request update @arrived { ip saddr . meta l4proto }
    icmpv6 type echo-request update @arrived6 { ip6 saddr . meta l4proto }
    meta nfproto ipv4 th dport { ${PORT}, ${DNS_PORT} } update @arrived { ip saddr . meta l4proto }
    meta nfproto ipv6 th dport { ${PORT}, ${DNS_PORT} } update @arrived6 { ip6 saddr . meta l4proto }
  }
}
`

/** Its agent ends with the set. */
export async function startMember(
  set: NetnsSet,
  { name, netns, address, ports = [PORT] }: MemberSpec,
): Promise<Member> {
  await netns.run({ file: 'nft', args: ['-f', '-'], input: NOTE_ARRIVALS })
  const ask = await startAgent(set, netns, ports)
  return {
    name,
    netns,
    address,
    probe: (protocol, to, { from, port = PORT } = {}) =>
      ask({ protocol, to, port, ...(from === undefined ? {} : { from }) }),
    arrivals: () => takeArrivals(netns),
  }
}

type Ask = (request: Omit<ProbeRequest, 'id'>) => Promise<string>

async function startAgent(set: NetnsSet, netns: Netns, ports: readonly number[]): Promise<Ask> {
  const program = new URL('netns-agent.ts', import.meta.url).pathname
  const coprocess = netns.start(process.execPath, [program, ...ports.map(String)])
  const waiting = new Map<number, (answer: string) => void>()
  let lastId = 0
  let unread = ''
  const ended = new Promise<string>((resolve) => coprocess.onEnd(resolve))
  const answered = (id: number): Promise<string> =>
    Promise.race([
      new Promise<string>((resolve) => waiting.set(id, resolve)),
      ended.then((reason) =>
        Promise.reject(new Error(`The agent in ${netns.name} ended: ${reason}: ${unread}`)),
      ),
    ])
  coprocess.onStderr((text) => {
    const lines = (unread + text).split('\n')
    unread = lines.pop() ?? ''
    for (const line of lines) {
      const { id, answer } = v.parse(ProbeAnswer, JSON.parse(line))
      waiting.get(id)?.(answer)
      waiting.delete(id)
    }
  })
  set.defer(async () => {
    coprocess.kill()
    await ended
  })
  await answered(0)
  return (request) => {
    lastId += 1
    const answer = answered(lastId)
    coprocess.write(`${JSON.stringify({ id: lastId, ...request })}\n`)
    return answer
  }
}

const NftSet = v.object({
  nftables: v.array(
    v.object({
      set: v.optional(
        v.object({ elem: v.optional(v.array(v.object({ concat: v.tuple([v.string(), v.string()]) })), []) }),
      ),
    }),
  ),
})

async function takeArrivals({ run }: Netns): Promise<string> {
  const lines: string[] = []
  for (const name of ['arrived', 'arrived6']) {
    const text = await run({ file: 'nft', args: ['--json', 'list', 'set', 'inet', 'probe', name] })
    const elements = v.parse(NftSet, JSON.parse(text)).nftables.flatMap(({ set }) => set?.elem ?? [])
    lines.push(...elements.map(({ concat: [address, protocol] }) => `${address} ${nameOf(protocol)}`))
    await run({ file: 'nft', args: ['flush', 'set', 'inet', 'probe', name] })
  }
  return lines.sort().join('\n')
}

/** Echo requests have one name, whatever the family. */
function nameOf(protocol: string): string {
  return protocol === 'ipv6-icmp' ? 'icmp' : protocol
}
