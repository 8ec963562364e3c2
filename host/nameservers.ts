/**
 * The nameservers of the host, as the engine reads them: it takes no pool that holds one, and asks for another one without
 * end (moby, daemon/libnetwork/netutils and daemon/libnetwork/internal/resolvconf).
 */
import { readFile, readlink } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Cidr } from '../address/cidr.ts'
import { ADDRESS_BITS, Ip, parseWrittenAddress } from '../address/ip.ts'
import type { ForeignNetwork } from './host-state.ts'

/** Where the host's files about nameservers are. */
export interface ResolverFiles {
  /** The host's /etc. */
  readonly etc: string
  /** The host's /run. */
  readonly run: string
  /** The host's resolv.conf as the engine mounts it into a plugin: the file that it was when the plugin was started. */
  readonly mounted: string
}

const RESOLV_CONF = '/etc/resolv.conf'
/** Written by systemd-resolved: the nameservers that it asks itself. */
const SYSTEMD_RESOLV_CONF = '/run/systemd/resolve/resolv.conf'
/** The address at which systemd-resolved answers the host's own programs. */
const SYSTEMD_STUB = Ip.parse('127.0.0.53')

/**
 * Those of /etc/resolv.conf; where that names nothing but systemd-resolved, those that systemd-resolved asks. The engine
 * decides once, at its start, and Romana at every look. A file that cannot be read names none, as for the engine.
 */
export async function observeNameservers(files: ResolverFiles): Promise<ForeignNetwork[]> {
  const usual = parseNameservers(await readResolvConf(files), RESOLV_CONF)
  const [only, ...others] = usual
  if (others.length > 0 || only?.cidr.network.equals(SYSTEMD_STUB) !== true) return usual
  const text = await readOr('', seenHere(files, SYSTEMD_RESOLV_CONF))
  return parseNameservers(text, SYSTEMD_RESOLV_CONF)
}

/**
 * A resolv.conf: the nameservers' addresses, each as a network of its own. What is no address is passed over.
 * @param file where the text is from, for messages.
 */
export function parseNameservers(text: string, file: string): ForeignNetwork[] {
  return text.split('\n').flatMap((line) => {
    const [word, server = ''] = line.replace(/#.*/, '').trim().split(/\s+/)
    const address = word === 'nameserver' ? addressOf(server) : undefined
    if (address === undefined) return []
    const cidr = Cidr.of(address, ADDRESS_BITS[address.family])
    return [{ cidr, seenAs: `nameserver ${address} in ${file}` }]
  })
}

function addressOf(server: string): Ip | undefined {
  try {
    return parseWrittenAddress(server)
  } catch {
    return undefined
  }
}

/**
 * Programs replace the file, or the one that it is a link to, which the mounted one does not show. A link may be an absolute
 * path of the host; where that does not lie in what the plugin sees, the mounted file is the best there is.
 */
async function readResolvConf(files: ResolverFiles): Promise<string> {
  const link = await readlink(seenHere(files, RESOLV_CONF)).catch(() => RESOLV_CONF)
  const path = seenHere(files, resolve('/etc', link))
  return await readFile(path, 'utf8').catch(() => readOr('', files.mounted))
}

/** Where the plugin sees a path of the host. */
function seenHere({ etc, run }: ResolverFiles, path: string): string {
  return path.replace(/^(\/etc|(\/var)?\/run)(?=\/)/, (root) => (root === '/etc' ? etc : run))
}

function readOr(text: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => text)
}
