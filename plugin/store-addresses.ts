/** Where the members of the store listen: containers are kept from there. Names are looked up again now and then. */
import { lookup } from 'node:dns/promises'
import { parseWrittenAddress } from '../address/ip.ts'
import type { StoreAddress } from '../host/store-rules.ts'

/** Milliseconds from one lookup of all names to the next. */
const LOOKUP_MS = 60_000
/** The same after one that failed: doubled with each failure. */
const FIRST_RETRY_MS = 1_000

export interface StoreAddresses {
  current(): readonly StoreAddress[]
  close(): void
}

export interface StoreAddressParts {
  /** URLs. */
  readonly endpoints: readonly string[]
  /** All addresses of a name, of both families. Throws, or gives none, where there is none just now. */
  readonly lookup: (name: string) => Promise<readonly string[]>
  /** Told when the names lead elsewhere. */
  readonly onChange: () => void
}

/** As the programs of this machine look names up. An address is its own. */
export async function lookUpAddresses(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address)
}

export async function watchStoreAddresses(parts: StoreAddressParts): Promise<StoreAddresses> {
  const members = parts.endpoints.map((endpoint) => new Member(endpoint, parts.lookup))
  let retryMs = FIRST_RETRY_MS
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  async function lookUp(): Promise<void> {
    const areFound = (await Promise.all(members.map((member) => member.lookUp()))).every(Boolean)
    if (isClosed) return
    timer = setTimeout(lookUpAgain, areFound ? LOOKUP_MS : Math.min(retryMs, LOOKUP_MS))
    retryMs = areFound ? FIRST_RETRY_MS : retryMs * 2
  }
  async function lookUpAgain(): Promise<void> {
    const before = textsOf(members).join()
    await lookUp()
    if (!isClosed && textsOf(members).join() !== before) parts.onChange()
  }
  await lookUp()
  return {
    current: () => distinct(members),
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** One member, by its URL. */
class Member {
  readonly #name: string
  readonly #port: number
  readonly #lookup: StoreAddressParts['lookup']
  /** Never empty: a port without an address is closed at this host all the same. */
  addresses: readonly StoreAddress[]

  constructor(endpoint: string, look: StoreAddressParts['lookup']) {
    const { hostname, port } = new URL(endpoint)
    this.#name = hostname.replace(/^\[(.*)\]$/, '$1')
    this.#port = Number(port)
    this.#lookup = look
    this.addresses = [{ port: this.#port }]
  }

  /** Whether it has been found. A name that leads nowhere just now keeps what it had. */
  async lookUp(): Promise<boolean> {
    const found = await this.#lookup(this.#name).catch(() => [])
    if (found.length === 0) return false
    this.addresses = found.map((text) => ({ address: parseWrittenAddress(text), port: this.#port }))
    return true
  }
}

function textsOf(members: readonly Member[]): string[] {
  return distinct(members).map(textOf)
}

/** In the order of their texts, however the names were answered. */
function distinct(members: readonly Member[]): StoreAddress[] {
  const all = new Map(members.flatMap(({ addresses }) => addresses).map((each) => [textOf(each), each]))
  return [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

function textOf({ address, port }: StoreAddress): string {
  return `${address ?? ''}:${port}`
}
