/**
 * What a host link says about its endpoint, in its alias. With it a plugin whose journal is lost still knows every live
 * endpoint, and a person reading `ip link` sees whose link it is. Pure.
 *
 *     romana1 3fa4… 9bd0… 10.1.17.5 blue web /var/run/docker/netns/1e67…
 *     rm2 3fa4… 9bd0… 10.1.17.5 fd3a:1c55:9e02:1:1:1:0:5 blue web
 */

import { Ip } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'

export interface LinkAlias {
  readonly endpointId: string
  readonly networkId: string
  readonly address: Ip
  /** IPv6 beside IPv4. */
  readonly address6?: Ip | undefined
  readonly tenant: string
  readonly segment: string
  /** The container's namespace, as the engine names it: tells which endpoints are one container's. Left out where there is no room. */
  readonly sandbox?: string | undefined
}

/** A path that can be a word of the alias. */
const SANDBOX = /^\/[\w./-]+$/

/** The kernel keeps at most 255 bytes (IFALIASZ, include/uapi/linux/if.h). */
const ALIAS_LIMIT = 255
const VERSION = 'romana1'
/** Short, so that two addresses, two ids and two names of full length are just the limit. */
const VERSION_OF_TWO = 'rm2'

/** @throws RomanaError E_HOST when the kernel could not keep the alias whole. */
export function formatLinkAlias(parts: LinkAlias): string {
  const { endpointId, networkId, address, address6, tenant, segment, sandbox = '' } = parts
  const alias =
    address6 === undefined
      ? [VERSION, endpointId, networkId, address, tenant, segment].join(' ')
      : [VERSION_OF_TWO, endpointId, networkId, address, address6, tenant, segment].join(' ')
  if (alias.length > ALIAS_LIMIT) {
    throw new RomanaError('E_HOST', {
      cannot: `mark the link of endpoint "${endpointId}"`,
      because: `its alias has ${alias.length} characters: the kernel keeps ${ALIAS_LIMIT}`,
      remedy: 'Use shorter names for tenant and segment',
    })
  }
  const whole = `${alias} ${sandbox}`
  return SANDBOX.test(sandbox) && whole.length <= ALIAS_LIMIT ? whole : alias
}

/** Undefined when the alias is not Romana's, or of a version that this plugin does not know. */
export function parseLinkAlias(alias: string): LinkAlias | undefined {
  const [version, endpointId, networkId, ...words] = alias.split(' ')
  const last = words.at(-1) ?? ''
  const sandbox = SANDBOX.test(last) ? last : undefined
  const rest = sandbox === undefined ? words : words.slice(0, -1)
  const isOfTwo = version === VERSION_OF_TWO
  if ((version !== VERSION && !isOfTwo) || rest.length !== (isOfTwo ? 4 : 3)) return undefined
  const [address, address6] = addressesIn(rest.slice(0, -2)) ?? []
  const [tenant, segment] = rest.slice(-2)
  if (!endpointId || !networkId || address === undefined || !tenant || !segment) return undefined
  const names = { endpointId, networkId, tenant, segment }
  return { ...names, address, ...(address6 && { address6 }), ...(sandbox && { sandbox }) }
}

function addressesIn(texts: readonly string[]): Ip[] | undefined {
  try {
    return texts.map((text) => Ip.parse(text))
  } catch {
    return undefined
  }
}
