/**
 * A recording as the same engine would have sent it to Romana. Its plan is one whose cells are the recorded pools, so that
 * subnets, ranges, gateways and auxiliary addresses stay as they are. What differs: the options, which were another
 * driver's; the ids of pools and the addresses that a driver chooses; and the IPv6 subnet, whose number must be that of IPv4.
 */
import { fieldOf, textOf } from './docker-answers.ts'
import type { RecordedCall } from './docker-recording.ts'

/** The recorded pools 10.96.0.0/24 to 10.99.0.0/24 are four tenants of host 1, of one segment each. */
export const RECORDED_PLAN = '10.0.0.0/8 2/14/0/8'
export const RECORDED_PLAN6 = 'fd00::/16 16/16/0/80'

/** What is written otherwise, wherever it is. The tenant of 10.98.0.0/24 has the number 0x2200. */
const TEXTS = [
  ['"RomLocal"', '"RomanaLocal"'],
  ['fd00:98::/64', 'fd00:1:2200::/48'],
  ['fd00:98::1/64', 'fd00:1:2200::1/48'],
  ['fd00:98::', 'fd00:1:2200::'],
  ['{"k1":"v1"}', '{"com.docker.network.driver.mtu":"1400"}'],
  ['{"k":"v"}', '{"nat":"false"}'],
] as const

export class Translation {
  /** Recorded pools to Romana's: "pool-10.99.0.0/24" to "10.99.0.0/24,p99,default,10.99.0.128/26". */
  readonly #poolIds = new Map<string, string>()
  /** Recorded addresses of endpoints to Romana's, without lengths. */
  readonly #addresses = new Map<string, string>()
  /** Recorded gateways that nobody chose to Romana's: "10.99.0.2/24" to "10.99.0.1/24". */
  readonly #gateways = new Map<string, string>()

  /** The body to send instead. */
  translate({ method, body, answer }: RecordedCall): string {
    if (body === '') return ''
    const gateways = [...this.#gateways].map(
      ([from, to]) => [`"Gateway":"${from}"`, `"Gateway":"${to}"`] as const,
    )
    const texts = [...gateways, ...TEXTS]
    const translated: object = JSON.parse(texts.reduce((text, [from, to]) => text.replaceAll(from, to), body))
    return JSON.stringify(this.#translateBody(method, translated, answer))
  }

  /** What Romana has given stands for what is recorded from now on. */
  learn({ method, body, answer }: RecordedCall, given: unknown): void {
    if (answer === '') return
    const recorded: unknown = JSON.parse(answer)
    if (method === 'IpamDriver.RequestPool') {
      const id = textOf(recorded, 'PoolID')
      // Two networks of one pool had one id with that driver. The first one may have a range.
      if (!this.#poolIds.has(id)) this.#poolIds.set(id, textOf(given, 'PoolID'))
    } else if (body.includes('RequestAddressType')) {
      this.#gateways.set(textOf(recorded, 'Address'), textOf(given, 'Address'))
    } else {
      this.#addresses.set(bare(textOf(recorded, 'Address')), bare(textOf(given, 'Address')))
    }
  }

  #translateBody(method: string, body: object, answer: string): object {
    if (method === 'IpamDriver.RequestPool') return { ...body, Options: optionsOf(answer) }
    if (method === 'IpamDriver.ReleaseAddress') return { ...this.#inPool(body), ...this.#released(body) }
    if (method.startsWith('IpamDriver.Re')) return this.#inPool(body)
    if (method === 'NetworkDriver.CreateEndpoint')
      return { ...body, Interface: this.#interface(fieldOf(body, 'Interface')) }
    return body
  }

  #inPool(body: object): object {
    const poolId = textOf(body, 'PoolID').replace('fd00:1:2200::/48', 'fd00:98::/64')
    return { ...body, PoolID: this.#poolIds.get(poolId) ?? poolId }
  }

  #released(body: object): object {
    return { Address: this.#address(textOf(body, 'Address')) }
  }

  #interface(recorded: unknown): object {
    const withLength = (name: string, length: number) => {
      const address = textOf(recorded, name)
      return address === '' ? '' : `${this.#address(bare(address))}/${length}`
    }
    const MacAddress = textOf(recorded, 'MacAddress')
    return { Address: withLength('Address', 32), AddressIPv6: withLength('AddressIPv6', 128), MacAddress }
  }

  /** What nobody was given stays: a gateway, or an auxiliary address. */
  #address(recorded: string): string {
    return this.#addresses.get(recorded.replace('fd00:1:2200::', 'fd00:98::')) ?? recorded
  }
}

/** A network of the recorded pool's tenant: "10.99.0.0/24" is of tenant p99. */
function optionsOf(answer: string): object {
  const [, number] = /^(?:10\.|fd00:)(\d+)/.exec(textOf(JSON.parse(answer), 'Pool')) ?? []
  return { tenant: `p${number}` }
}

function bare(address: string): string {
  return address.replace(/\/\d+$/, '')
}
