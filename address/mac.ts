/** The MAC address of an endpoint. Pure. */
import type { Ip } from './ip.ts'

/**
 * A locally administered unicast MAC address that follows from the address alone, so a reused address is never stale in a
 * neighbour table.
 *
 * IPv4: 02:52 and the four bytes of the address, so 10.1.17.5 has 02:52:0a:01:11:05.
 *
 * IPv6: 02 and the address folded to 40 bits, the exclusive or of its bits 0-39, 40-79 and 80-119. Within a cell only
 * the low bits differ, so the endpoints of a cell have different MACs up to number 2^40, which no cell reaches; the
 * upper bits keep the first endpoints of two cells apart on a container that has both.
 */
export function macOf(address: Ip): string {
  if (address.family === 4) return formatMac([0x02, 0x52, ...address.toBytes()])
  const { value } = address
  return formatMac([0x02, ...lowFiveBytes(value ^ (value >> 40n) ^ (value >> 80n))])
}

function lowFiveBytes(value: bigint): number[] {
  return [32n, 24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 0xffn))
}

function formatMac(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
