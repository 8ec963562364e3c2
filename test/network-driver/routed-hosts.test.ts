import { describe, expect, it } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { type RoutedHosts, routedHosts } from '../../network-driver/routed-hosts.ts'

const FIRST: RoutedHosts = { plan: parsePlan('10.0.0.0/8 8/4/4/8'), own: 1n, peers: [], isCluster: true }

describe('a container gets routes', () => {
  it('to the other hosts, and to the 32 that join next', () => {
    expect(routesWith({ own: 2n, peers: [7, 1] })).toBe(`1 ${upTo(3, 35)}`)
    expect(routesWith({ own: 50n, peers: [40] })).toBe(`${upTo(1, 32)} 40`)
  })

  it('to the hosts that are there only where none can join', () => {
    expect(routesWith({ isCluster: false })).toBe('')
    expect(routesWith({ isCluster: false, peers: [7, 3] })).toBe('3 7')
  })

  it('to no more hosts than the plan has', () => {
    expect(routesWith({ plan: parsePlan('10.0.0.0/8 2/7/7/8'), peers: [3] })).toBe('2 3')
    expect(routesWith({ plan: parsePlan('10.0.0.0/8 0/8/8/8'), own: 0n })).toBe('')
  })

  it('to 128 others at most, and to none at all where there are more', () => {
    const peers = Array.from({ length: 129 }, (_, index) => index + 2)
    expect(routesWith({ peers: peers.slice(0, 128) })).toBe(upTo(2, 161))
    expect(routesWith({ peers })).toBe('')
  })
})

/** @param peers numbers of the other hosts. */
function routesWith({
  peers = [],
  ...change
}: Partial<Omit<RoutedHosts, 'peers'>> & { readonly peers?: readonly number[] }): string {
  return routedHosts({ ...FIRST, ...change, peers: peers.map((number) => ({ number })) }).join(' ')
}

function upTo(first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).join(' ')
}
