import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { flowSelectors } from '../../host/flow-selectors.ts'
import { parseConntrack } from '../../host/parse-conntrack.ts'
import { isMeant } from '../support/conntrack-filter.ts'

const PLAN = parsePlan('10.0.0.0/8 8/4/4/8')
const PLAN6 = parsePlan('fd3a:1c55:9e02::/48 16/16/16/32')

/** "tcp 10.1.17.2 > 10.2.18.3 80" as `conntrack -L` prints it. */
function lineOf(flow: string): string {
  const [protocol = '', source = '', , destination = '', service = ''] = flow.split(' ')
  const number = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }[protocol]
  const there = `src=${source} dst=${destination}`
  const back = `src=${destination} dst=${source}`
  return protocol.startsWith('icmp')
    ? `${protocol} ${number} 29 ${there} type=${service} code=0 id=1 ${back} type=0 code=0 id=1 mark=0 use=1`
    : `${protocol} ${number} 29 ${there} sport=40000 dport=${service} ${back} sport=${service} dport=40000 mark=0 use=1`
}

function selectorsOf(plan: typeof PLAN, forgotten: readonly string[], kept: readonly string[]): string {
  const flows = (some: readonly string[]) => parseConntrack(some.map(lineOf).join('\n'))
  return flowSelectors(plan, flows(forgotten), flows(kept))
    .map((selector) => selector.join(' '))
    .join('\n')
}

describe('of flows that the kernel shall forget', () => {
  it('all to a segment to which none is kept go by one selector', () => {
    const forgotten = [
      'tcp 10.1.17.2 > 10.2.18.3 80',
      'udp 10.3.17.9 > 10.1.18.7 53',
      'icmp 8.8.8.8 > 10.1.18.7 8',
    ]
    expect(selectorsOf(PLAN, forgotten, ['tcp 10.1.17.2 > 10.2.17.3 80'])).toBe(
      '-f ipv4 --dst 10.0.18.0 --mask-dst 255.0.255.0',
    )
  })

  it('those beside others to the same segment go by where they come from, by protocol or by port', () => {
    const forgotten = [
      'udp 10.1.17.2 > 10.2.18.3 53',
      'tcp 10.1.17.2 > 10.2.18.3 80',
      'tcp 10.1.18.4 > 10.2.18.3 443',
    ]
    const kept = ['tcp 10.1.17.9 > 10.1.18.3 443']
    expect(selectorsOf(PLAN, forgotten, kept)).toBe(`\
-f ipv4 --dst 10.0.18.0 --mask-dst 255.0.255.0 -p udp
-f ipv4 --dst 10.0.18.0 --mask-dst 255.0.255.0 -p tcp --dport 80
-f ipv4 --src 10.0.18.0 --mask-src 255.0.255.0`)
  })

  it('one that only its addresses tell from another goes by them', () => {
    expect(selectorsOf(PLAN, ['icmp 10.1.17.2 > 10.2.18.3 8'], ['icmp 10.1.17.2 > 10.2.18.4 8'])).toBe(
      '-f ipv4 --src 10.0.17.0 --mask-src 255.0.255.0 --dst 10.2.18.3',
    )
    const kept = [
      'icmp 10.1.17.2 > 10.2.18.4 8',
      'icmp 10.1.17.3 > 10.2.18.3 8',
      'icmp 10.1.17.2 > 10.2.18.3 0',
    ]
    expect(selectorsOf(PLAN, ['icmp 10.1.17.2 > 10.2.18.3 8'], kept)).toBe(
      '-f ipv4 --src 10.1.17.2 --dst 10.2.18.3 -p icmp --icmp-type 8',
    )
  })

  it('those of IPv6 go likewise', () => {
    const [one, other] = ['fd3a:1c55:9e02:1:1:1::2', 'fd3a:1c55:9e02:2:1:2::3']
    expect(selectorsOf(PLAN6, [`icmpv6 ${one} > ${other} 128`], [`tcp ${one} > ${other} 80`])).toBe(
      '-f ipv6 --dst fd3a:1c55:9e02:0:1:2:: --mask-dst ffff:ffff:ffff:0:ffff:ffff:: -p icmpv6',
    )
  })

  const address = fc.constantFrom(
    '10.1.17.2',
    '10.1.17.3',
    '10.2.17.2',
    '10.2.18.2',
    '10.1.33.9',
    '192.0.2.1',
  )
  const service = fc.constantFrom('tcp 80', 'tcp 443', 'udp 80', 'icmp 8', 'icmp 0')
  const flow = fc
    .tuple(service, address, address)
    .map(([text, from, to]) => text.replace(' ', ` ${from} > ${to} `))

  it('each goes and none other, whichever there are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(flow, { maxLength: 40 }), fc.nat(40), (flows, count) => {
        const [forgotten, kept] = [flows.slice(0, count), flows.slice(count)]
        const selectors = selectorsOf(PLAN, forgotten, kept).split('\n').filter(Boolean)
        const goes = (each: string) => selectors.some((text) => isMeant(lineOf(each), text.split(' ')))
        expect([flows.filter(goes), selectors.length <= forgotten.length]).toEqual([forgotten, true])
      }),
    )
  })
})
