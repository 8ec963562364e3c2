/** To which other hosts a container gets routes of its own. The engine writes them one by one when the container starts. Pure. */
import { type AddressPlan, firstNumber, lastNumber } from '../address/address-plan.ts'

/** More other hosts than this get no routes at all: it would be by chance which of them are reached. */
const MOST_HOSTS = 128

/** How many hosts may join while a container runs, and still have routes of it. 250 routes cost a start some 5 ms. */
const HOSTS_TO_COME = 32

export interface RoutedHosts {
  readonly plan: AddressPlan
  /** The number of this host. */
  readonly own: bigint
  /** The other hosts. */
  readonly peers: readonly { readonly number: number }[]
  /** Whether others can join. */
  readonly isCluster: boolean
}

/** Numbers of the hosts that are there, and of those that come next: a host that joins takes the lowest free number. Sorted. */
export function routedHosts({ plan, own, peers, isCluster }: RoutedHosts): bigint[] {
  if (peers.length > MOST_HOSTS) return []
  const numbers = new Set(peers.map(({ number }) => BigInt(number)))
  const most = numbers.size + (isCluster ? HOSTS_TO_COME : 0)
  const last = lastNumber(plan, 'host')
  for (let number = firstNumber(plan, 'host'); number <= last && numbers.size < most; number += 1n) {
    if (number !== own) numbers.add(number)
  }
  return [...numbers].sort((a, b) => Number(a - b))
}
