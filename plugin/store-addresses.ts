/** Where the members of the store listen: containers are kept from there. Names are looked up again now and then. */
import { lookup } from 'node:dns/promises'
import { Ip } from '../address/ip.ts'
import type { StoreAddress } from '../host/firewall.ts'

const LOOKUP_MS = 60_000

export interface StoreAddresses {
  current(): readonly StoreAddress[]
  close(): void
}

/** @param onChange told when the names lead elsewhere. */
export async function watchStoreAddresses(
  endpoints: readonly string[],
  onChange: () => void,
): Promise<StoreAddresses> {
  let current = await addressesOf(endpoints, [])
  const timer = setInterval(async () => {
    const before = current.map(textOf).join()
    current = await addressesOf(endpoints, current)
    if (current.map(textOf).join() !== before) onChange()
  }, LOOKUP_MS)
  return { current: () => current, close: () => clearInterval(timer) }
}

/** A name that cannot be looked up just now keeps nothing of its own, and takes nothing from the others. */
async function addressesOf(
  endpoints: readonly string[],
  before: readonly StoreAddress[],
): Promise<readonly StoreAddress[]> {
  const found = await Promise.all(
    endpoints.map(async (endpoint) => {
      const { hostname, port } = new URL(endpoint)
      const answers = await lookup(hostname, { all: true, family: 4 }).catch(() => [])
      return answers.map(({ address }) => ({ address: Ip.parse(address), port: Number(port) }))
    }),
  )
  const all = new Map(found.flat().map((each) => [textOf(each), each]))
  if (found.some((answers) => answers.length === 0)) for (const each of before) all.set(textOf(each), each)
  return [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

function textOf({ address, port }: StoreAddress): string {
  return `${address}:${port}`
}
