/** One IP address, IPv4 or IPv6, as a number; text only at the edges. Pure. */
import ipaddr from 'ipaddr.js'
import { RomanaError } from '../errors.ts'

export type Family = 4 | 6

/** Number of bits of an address of each family. */
export const ADDRESS_BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/** The upper 96 bits of IPv4-mapped addresses, ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const IPV4_MAPPED = 0xffffn

/** An address. Made only by {@link Ip.of} and {@link Ip.parse}, so a value of this type is always in range. */
export class Ip {
  readonly family: Family
  readonly value: bigint

  private constructor(family: Family, value: bigint) {
    this.family = family
    this.value = value
  }

  /** @throws RomanaError E_NUMBER when `value` does not fit the family. */
  static of(family: Family, value: bigint): Ip {
    if (value < 0n || value >> BigInt(ADDRESS_BITS[family]) !== 0n) {
      throw new RomanaError('E_NUMBER', {
        cannot: `make an IPv${family} address of ${value}`,
        because: `it does not fit ${ADDRESS_BITS[family]} bits`,
      })
    }
    return new Ip(family, value)
  }

  /**
   * Reads "10.1.17.5" or "fd00::5". Octal, hexadecimal and shortened IPv4 forms, zone ids and IPv4-mapped forms are
   * refused: they read differently in different programs.
   * @throws RomanaError E_ADDRESS
   */
  static parse(text: string): Ip {
    if (ipaddr.IPv4.isValidFourPartDecimal(text)) return Ip.#ofBytes(4, ipaddr.IPv4.parse(text).toByteArray())
    if (ipaddr.IPv6.isValid(text) && !text.includes('%') && !text.includes('.')) {
      const address = Ip.#ofBytes(6, ipaddr.IPv6.parse(text).toByteArray())
      if (address.value >> 32n !== IPV4_MAPPED) return address
    }
    throw new RomanaError('E_ADDRESS', {
      cannot: `read the address "${text}"`,
      because: 'it is neither an IPv4 address such as 10.1.17.5 nor an IPv6 address such as fd00::5',
    })
  }

  static #ofBytes(family: Family, bytes: readonly number[]): Ip {
    return new Ip(
      family,
      bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
    )
  }

  equals(other: Ip): boolean {
    return this.family === other.family && this.value === other.value
  }

  /** The canonical text: dotted decimal, or IPv6 as of RFC 5952. */
  toString(): string {
    return ipaddr.fromByteArray(this.toBytes()).toString()
  }

  /** Big-endian bytes, 4 or 16. */
  toBytes(): number[] {
    const count = ADDRESS_BITS[this.family] / 8
    return Array.from({ length: count }, (_, index) =>
      Number((this.value >> BigInt(8 * (count - 1 - index))) & 0xffn),
    )
  }
}

/**
 * An address as the programs of a host write it, who mean where it leads: "::ffff:192.0.2.21" is called by IPv4 (RFC 4291, 2.5.5.2), and
 * the link behind "fe80::1%eth0" is left out. @throws RomanaError E_ADDRESS
 */
export function parseWrittenAddress(text: string): Ip {
  return Ip.parse(text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, ''))
}

/** "10.1.17.5:80" or "[fd00::5]:80". */
export function formatAddressPort(address: Ip, port: number | string): string {
  return address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`
}
