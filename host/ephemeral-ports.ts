/** The range of ports that a host gives out where nobody names one. */
import { readText } from './host-files.ts'

/** Docker's, where the kernel's cannot be read (moby, daemon/libnetwork/portallocator). */
const USUAL = { first: 49_153, last: 65_535 }

/** @param sysNetPath where the host's /proc/sys/net is. */
export async function readEphemeralPorts(
  sysNetPath: string,
): Promise<{ readonly first: number; readonly last: number }> {
  const text = await readText(`${sysNetPath}/ipv4/ip_local_port_range`).catch(() => '')
  return parseEphemeralPorts(text)
}

/** Reads "32768\t60999". Pure. */
export function parseEphemeralPorts(text: string): { readonly first: number; readonly last: number } {
  const [first, last] = text.trim().split(/\s+/).map(Number)
  const isRange = first !== undefined && last !== undefined && first > 0 && first <= last && last <= 65_535
  return isRange ? { first, last } : USUAL
}
