/**
 * Names of an endpoint's two links. Both carry one number, which is never used twice while the plugin runs: the
 * long-lived `ip -batch` remembers the index of each name it has seen (iproute2, lib/ll_map.c). Pure.
 */
import { RomanaError } from '../errors.ts'
import {
  CONTAINER_LINK_PREFIX,
  HOST_LINK_PREFIX,
  LINK_CLASSES,
  LINK_NAME_LIMIT,
  type LinkClass,
} from './marks.ts'

export interface LinkNames {
  /** Stays in the host's namespace. */
  readonly hostLink: string
  /** Moves into the sandbox, where the engine renames it. */
  readonly containerLink: string
}

/**
 * @param linkClass which firewall rules are for the link.
 * @throws RomanaError E_HOST when the number makes a name longer than a link's name may be.
 */
export function linkNames(linkClass: LinkClass, linkNumber: number): LinkNames {
  const hostLink = `${HOST_LINK_PREFIX}${LINK_CLASSES[linkClass]}${linkNumber}`
  if (!Number.isSafeInteger(linkNumber) || linkNumber < 1 || hostLink.length > LINK_NAME_LIMIT) {
    throw new RomanaError('E_HOST', {
      cannot: `name the link of endpoint number ${linkNumber}`,
      because: `"${hostLink}" is not a link name of at most ${LINK_NAME_LIMIT} characters`,
    })
  }
  return { hostLink, containerLink: `${CONTAINER_LINK_PREFIX}${linkNumber}` }
}

/** The number and class in the name of a host link, or undefined when the name is not Romana's. */
export function parseHostLink(name: string): { linkClass: LinkClass; linkNumber: number } | undefined {
  const match = /^rmn([ei])([1-9]\d*)$/.exec(name)
  if (match?.[2] === undefined) return undefined
  return {
    linkClass: match[1] === LINK_CLASSES.internal ? 'internal' : 'routed',
    linkNumber: Number(match[2]),
  }
}

/** The number in the name of a container link, or undefined when the name is not Romana's. */
export function parseContainerLink(name: string): number | undefined {
  const match = /^rmp([1-9]\d*)$/.exec(name)
  return match?.[1] === undefined ? undefined : Number(match[1])
}
