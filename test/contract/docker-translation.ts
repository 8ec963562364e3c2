/**
 * A recording as the same engine would have sent it to Romana: with its pool ids and addresses, and without options that
 * Romana refuses (published ports, IPv6, -o, --ip-range). Calls that are all about IPv6 are left out.
 */
import { fieldOf, textOf } from './docker-answers.ts'
import type { CallPlugin } from './docker-engine.ts'

type Body = Record<string, unknown>

export class Translation {
  /** Recorded pools to Romana's: "pool-10.99.0.0/24" to "10.1.17.0/24,recorded,10.99.0.0". */
  readonly #poolIds = new Map<string, string>()
  /** Recorded cells to Romana's. */
  readonly #cells = new Map<string, string>()
  /** Recorded addresses of endpoints to Romana's, without lengths. */
  readonly #addresses = new Map<string, string>()

  /** The call to make instead, or undefined. */
  translate(method: string, body: Body): Body | undefined {
    if (body['V6'] === true || /:.*:/.test(`${body['PoolID']}`)) return undefined
    if (method === 'IpamDriver.RequestPool') return requestPool(body)
    if (method.startsWith('IpamDriver.Re')) return this.#ipamCall(body)
    if (method === 'NetworkDriver.CreateNetwork') return this.#createNetwork(body)
    if (method === 'NetworkDriver.CreateEndpoint') return this.#createEndpoint(body)
    return body
  }

  /** Romana's answer stands for the recorded one from now on. */
  learn(method: string, body: Body, { recorded, given }: { recorded: unknown; given: unknown }): void {
    if (method === 'IpamDriver.RequestPool') {
      this.#poolIds.set(textOf(recorded, 'PoolID'), textOf(given, 'PoolID'))
      this.#cells.set(textOf(recorded, 'Pool'), textOf(given, 'Pool'))
    }
    const isGateway = fieldOf(body['Options'], 'RequestAddressType') !== undefined
    if (method === 'IpamDriver.RequestAddress' && !isGateway) {
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
      Options: { ...withoutField(body['Options'], 'com.docker.network.portmap') },
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

function requestPool(body: Body): Body {
  const segment = body['Pool'] === '' ? 'any' : bare(`${body['Pool']}`)
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

export type { CallPlugin }
