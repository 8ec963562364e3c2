/** Files of the host that are read and written as text: sysctls, resolv.conf. */
import { readFile, writeFile } from 'node:fs/promises'
import { RomanaError, reasonOf } from '../errors.ts'

/** The sysctl `net.ipv4.ip_forward`. @param sysNetPath where the host's /proc/sys/net is. */
export function forwardingPath(sysNetPath: string): string {
  return `${sysNetPath}/ipv4/ip_forward`
}

/** @throws RomanaError E_HOST */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw hostError(`read ${path}`, cause)
  }
}

/** @throws RomanaError E_HOST */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw hostError(`write ${path}`, cause)
  }
}

function hostError(cannot: string, cause: unknown): RomanaError {
  return new RomanaError('E_HOST', { cannot, because: reasonOf(cause), cause })
}
