/** Files of the host that are read and written as text: sysctls. */
import { readFile, writeFile } from 'node:fs/promises'
import { RomanaError, reasonOf } from '../errors.ts'

/** A sysctl: its path below /proc/sys/net, and the value it shall have. */
export interface Sysctl {
  readonly path: string
  readonly value: string
}

export const FORWARDING: Sysctl = { path: 'ipv4/ip_forward', value: '1' }
/** For all links: the kernel looks at no other one (net/ipv6/ip6_output.c). */
export const FORWARDING6: Sysctl = { path: 'ipv6/conf/all/forwarding', value: '1' }
const NO_IPV6: Sysctl = { path: 'ipv6/conf/default/disable_ipv6', value: '1' }

/** The link listens to routers though the host forwards (2), as it did before (1): Documentation/networking/ip-sysctl.rst. */
export function listenToRouters(link: string, value: '1' | '2'): Sysctl {
  return { path: `ipv6/conf/${link}/accept_ra`, value }
}

/** "net.ipv6.conf.eth0/5.accept_ra = 2", as sysctl writes the link eth0.5. */
export function formatSysctl({ path, value }: Sysctl): string {
  const parts = path.split('/').map((part) => part.replaceAll('.', '/'))
  return `net.${parts.join('.')} = ${value}`
}

/** Whether the host forwards. @param sysNetPath where the host's /proc/sys/net is. @throws RomanaError E_HOST */
export async function readForwarding(sysNetPath: string): Promise<boolean> {
  return (await readText(`${sysNetPath}/${FORWARDING.path}`)).trim() === FORWARDING.value
}

/** Whether it forwards IPv6. Undefined: it has none, or new links get none. */
export async function readForwarding6(sysNetPath: string): Promise<boolean | undefined> {
  const [isOn, isOff] = await Promise.all([FORWARDING6, NO_IPV6].map((sysctl) => isSet(sysNetPath, sysctl)))
  return isOff === false ? isOn : undefined
}

/** Those of the links that listen to routers as long as the host forwards no IPv6. */
export async function readAdvertisedLinks(sysNetPath: string, links: readonly string[]): Promise<string[]> {
  const listens = await Promise.all(links.map((link) => isSet(sysNetPath, listenToRouters(link, '1'))))
  return links.filter((_, index) => listens[index] === true)
}

/** Undefined: there is no such sysctl. */
export async function isSet(sysNetPath: string, { path, value }: Sysctl): Promise<boolean | undefined> {
  return await readText(`${sysNetPath}/${path}`).then(
    (text) => text.trim() === value,
    () => undefined,
  )
}

/** @throws RomanaError E_HOST */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw hostError(`read ${path}`, cause)
  }
}

/** Well where there is no such sysctl: the link has gone meanwhile, or has no IPv6. */
export function makeSetSysctl(sysNetPath: string): (sysctl: Sysctl) => Promise<void> {
  return async ({ path, value }) => {
    const file = `${sysNetPath}/${path}`
    try {
      await writeFile(file, `${value}\n`)
    } catch (cause) {
      if (!reasonOf(cause).includes('ENOENT')) throw hostError(`write ${file}`, cause)
    }
  }
}

function hostError(cannot: string, cause: unknown): RomanaError {
  return new RomanaError('E_HOST', { cannot, because: reasonOf(cause), cause })
}
