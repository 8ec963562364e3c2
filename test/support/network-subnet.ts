/** Subnets for networks of either driver. Pure. */
import type { DriverName } from './network-driver-names.ts'

/** A subnet that no other case has. */
export interface Subnet {
  /** Such as "192.168.3.0/24". */
  readonly cidr: string
  /** Of IPAM. */
  readonly options: Readonly<Record<string, string>>
  /** What `docker network create` needs to make a network of it. */
  readonly args: readonly string[]
  /** The address with this last byte. */
  address(lastByte: number): string
}

const SEGMENTS = 15
const HIGHEST_TENANT = 15

/**
 * With Romana, the cell of a segment that nobody else uses. There are 210; tenants are counted from the highest number down,
 * since those that choose none take the lowest free one.
 */
export function subnetOf(driver: DriverName, number: number): Subnet {
  const tenant = HIGHEST_TENANT - Math.floor(number / SEGMENTS)
  const segment = 1 + (number % SEGMENTS)
  const network = driver === 'bridge' ? `192.168.${number}` : `10.1.${tenant * 16 + segment}`
  const options = driver === 'bridge' ? {} : { tenant: `t${tenant}`, segment: `s${segment}` }
  const named = Object.entries(options).flatMap(([name, value]) => ['--ipam-opt', `${name}=${value}`])
  return {
    cidr: `${network}.0/24`,
    options,
    args: ['--subnet', `${network}.0/24`, ...named],
    address: (lastByte) => `${network}.${lastByte}`,
  }
}
