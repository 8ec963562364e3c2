/**
 * A recording as the same engine would have sent it to Romana: with its pool ids and addresses, and without options that
 * Romana refuses (IPv6, -o, --ip-range). Calls that are all about IPv6 are left out.
 */
import { textOf } from './docker-answers.ts'
import type { RecordedCall } from './docker-recording.ts'

type Body = Record<string, unknown>

export class Translation {
  /** Recorded pools to Romana's: "pool-10.99.0.0/24" to "10.1.17.0/24,recorded,10.99.0.0". */
  readonly #poolIds = new Map<string, string>()
  /** Recorded cells to Romana's. */
  readonly #cells = new Map<string, string>()
  /** Recorded addresses of endpoints to Romana's, without lengths. */
  readonly #addresses = new Map<string, string>()

  /** The body to send instead, or undefined for a call to leave out. */
  translate({ method, body: text, answer }: RecordedCall): string | undefined {
    if (text === '') return text
    const body: Body = JSON.parse(text)
    if (body['V6'] === true || /:.*:/.test(`${body['PoolID']}`)) return undefined
    return JSON.stringify(this.#translateBody(method, body, answer))
  }

  #translateBody(method: string, body: Body, answer: string): Body {
    if (method === 'IpamDriver.RequestPool') return requestPool(body, JSON.parse(answer))
    if (method.startsWith('IpamDriver.Re')) return this.#ipamCall(body)
    if (method === 'NetworkDriver.CreateNetwork') return this.#createNetwork(body)
    if (method === 'NetworkDriver.CreateEndpoint') return this.#createEndpoint(body)
    return body
  }

  /** What Romana has given stands for what is recorded from now on. */
  learn({ method, body, answer }: RecordedCall, given: unknown): void {
    if (answer === '') return
    const recorded: unknown = JSON.parse(answer)
    if (method === 'IpamDriver.RequestPool') {
      this.#poolIds.set(textOf(recorded, 'PoolID'), textOf(given, 'PoolID'))
      this.#cells.set(textOf(recorded, 'Pool'), textOf(given, 'Pool'))
    } else if (!body.includes('RequestAddressType')) {
      this.#addresses.set(bare(textOf(recorded, 'Address')), bare(textOf(given, 'Address')))
    }
  }

  #ipamCall(body: Body): Body {
    const { PoolID, Address } = body
    return {
      ...body,
      PoolID: this.#poolIds.get(`${PoolID}`) ?? PoolID,
      ...(Address === undefined || Address === '' ? {} : { Address: this.#address(`${Address}`) }),
    }
  }

  #createNetwork(body: Body): Body {
    const pools = Array.isArray(body['IPv4Data']) ? body['IPv4Data'] : []
    return {
      ...body,
      Options: { ...withoutField(body['Options'], 'com.docker.network.generic') },
      IPv4Data: pools.map((pool) => this.#poolData(pool)),
      IPv6Data: [],
    }
  }

  #poolData(pool: unknown): Body {
    const cell = this.#cells.get(textOf(pool, 'Pool'))
    if (cell === undefined) return { ...withoutField(pool, '') }
    const gateway = this.#inCell(bare(textOf(pool, 'Gateway'))) ?? ''
    return { AddressSpace: 'RomanaLocal', Pool: cell, Gateway: `${gateway}/24`, AuxAddresses: {} }
  }

  #createEndpoint(body: Body): Body {
    const { Interface } = body
    const address = this.#addresses.get(bare(textOf(Interface, 'Address')))
    return {
      ...body,
      Interface: { ...withoutField(Interface, 'AddressIPv6'), Address: `${address}/32` },
    }
  }

  #address(recorded: string): string {
    return this.#addresses.get(recorded) ?? this.#inCell(recorded) ?? recorded
  }

  /** The address with the same last number in Romana's cell. */
  #inCell(recorded: string): string | undefined {
    const cell = this.#cells.get(recorded.replace(/\d+$/, '0/24'))
    return cell?.replace('0/24', recorded.replace(/^.*\./, ''))
  }
}

/** Recorded networks of one pool are networks of one segment. */
function requestPool(body: Body, recorded: unknown): Body {
  const segment = bare(textOf(recorded, 'Pool'))
  return {
    ...body,
    AddressSpace: 'RomanaLocal',
    Pool: '',
    SubPool: '',
    Options: { tenant: 'recorded', segment },
  }
}

function withoutField(value: unknown, name: string): Body {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return Object.fromEntries(entries.filter(([key]) => key !== name))
}

function bare(address: string): string {
  return address.replace(/\/\d+$/, '')
}
