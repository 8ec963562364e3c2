/**
 * What a host link says about its endpoint, in its alias. With it a plugin whose journal is lost still knows every live
 * endpoint, and a person reading `ip link` sees whose link it is. Pure.
 *
 *     romana1 3fa4… 9bd0… 10.1.17.5 blue web
 */

import { Ip } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'

export interface LinkAlias {
  readonly endpointId: string
  readonly networkId: string
  readonly address: Ip
  readonly tenant: string
  readonly segment: string
}

/** The kernel keeps at most 255 bytes (IFALIASZ, include/uapi/linux/if.h). */
const ALIAS_LIMIT = 255
const VERSION = 'romana1'

/** @throws RomanaError E_HOST when the kernel could not keep the alias whole. */
export function formatLinkAlias({ endpointId, networkId, address, tenant, segment }: LinkAlias): string {
  const alias = [VERSION, endpointId, networkId, address, tenant, segment].join(' ')
  if (alias.length > ALIAS_LIMIT) {
    throw new RomanaError('E_HOST', {
      cannot: `mark the link of endpoint "${endpointId}"`,
      because: `its alias has ${alias.length} characters: the kernel keeps ${ALIAS_LIMIT}`,
      remedy: 'Use shorter names for tenant and segment',
    })
  }
  return alias
}

/** Undefined when the alias is not Romana's, or of a version that this plugin does not know. */
export function parseLinkAlias(alias: string): LinkAlias | undefined {
  const [version, endpointId, networkId, address, tenant, segment, ...rest] = alias.split(' ')
  if (version !== VERSION || rest.length > 0) return undefined
  if (!endpointId || !networkId || !address || !tenant || !segment) return undefined
  try {
    return { endpointId, networkId, address: Ip.parse(address), tenant, segment }
  } catch {
    return undefined
  }
}
