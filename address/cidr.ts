/** A network prefix: an address whose host bits are zero, and a length. Pure. */
import { RomanaError } from '../errors.ts'
import { ADDRESS_BITS, type Family, Ip } from './ip.ts'

/** A canonical CIDR. Made only by {@link Cidr.of}, {@link Cidr.around} and {@link Cidr.parse}. */
export class Cidr {
  /** The network address; its host bits are zero. */
  readonly network: Ip
  readonly prefixLength: number

  private constructor(network: Ip, prefixLength: number) {
    this.network = network
    this.prefixLength = prefixLength
  }

  /** @throws RomanaError E_ADDRESS when the length is out of range or `network` has host bits set. */
  static of(network: Ip, prefixLength: number): Cidr {
    const cidr = Cidr.around(network, prefixLength)
    if (!cidr.network.equals(network)) {
      throw new RomanaError('E_ADDRESS', {
        cannot: `use "${network}/${prefixLength}" as a network`,
        because: `bits behind the prefix are set: the network is ${cidr}`,
      })
    }
    return cidr
  }

  /** The network of this length that holds `address`: 10.1.17.5 and 24 give 10.1.17.0/24. @throws RomanaError E_ADDRESS */
  static around(address: Ip, prefixLength: number): Cidr {
    const bits = ADDRESS_BITS[address.family]
    if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > bits) {
      throw new RomanaError('E_ADDRESS', {
        cannot: `use "${address}/${prefixLength}" as a network`,
        because: `the length of an IPv${address.family} prefix is 0 to ${bits}`,
      })
    }
    const hostBits = BigInt(bits - prefixLength)
    return new Cidr(Ip.of(address.family, (address.value >> hostBits) << hostBits), prefixLength)
  }

  /** Reads "10.0.0.0/8"; refuses host bits. @throws RomanaError E_ADDRESS */
  static parse(text: string): Cidr {
    const { address, prefixLength } = parseAddressWithLength(text)
    return Cidr.of(address, prefixLength)
  }

  get family(): Family {
    return this.network.family
  }

  /** The highest address of the network. */
  get last(): Ip {
    return Ip.of(this.family, this.network.value + this.size - 1n)
  }

  /** How many addresses the network has. */
  get size(): bigint {
    return 1n << BigInt(ADDRESS_BITS[this.family] - this.prefixLength)
  }

  contains(address: Ip): boolean {
    return (
      address.family === this.family &&
      address.value >= this.network.value &&
      address.value <= this.last.value
    )
  }

  /** Whether the two share an address. Prefixes overlap only when one lies inside the other. */
  overlaps(other: Cidr): boolean {
    return this.contains(other.network) || other.contains(this.network)
  }

  equals(other: Cidr): boolean {
    return this.prefixLength === other.prefixLength && this.network.equals(other.network)
  }

  toString(): string {
    return `${this.network}/${this.prefixLength}`
  }
}

/** Reads "10.1.17.5/24", the form of Docker's interface addresses, where host bits are meant. @throws RomanaError E_ADDRESS */
export function parseAddressWithLength(text: string): { address: Ip; prefixLength: number } {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  if (match?.[1] === undefined) {
    throw new RomanaError('E_ADDRESS', {
      cannot: `read the network "${text}"`,
      because: 'it is not an address, a slash and a prefix length such as 10.0.0.0/8',
    })
  }
  const address = Ip.parse(match[1])
  const prefixLength = Number(match[2])
  Cidr.around(address, prefixLength)
  return { address, prefixLength }
}

/** The /32 or /128 that holds just this address. */
export function hostCidr(address: Ip): Cidr {
  return Cidr.of(address, ADDRESS_BITS[address.family])
}
