/** The peers of a policy: who may be on the other side. Pure. */
import type { Cidr } from '../address/cidr.ts'
import type { Problems } from './policy-problems.ts'
import type { DocumentParty, PeerShape } from './policy-shapes.ts'

export type DocumentPeer =
  | { readonly kind: 'any' }
  | { readonly kind: 'host' }
  | { readonly kind: 'cidr'; readonly cidr: Cidr; readonly except: readonly Cidr[] }
  | ({ readonly kind: 'party' } & DocumentParty)

/** Adds to the problems what cannot be read; a place is kept for it, so that later ones have their index. */
export function readPeers(shapes: readonly PeerShape[], path: string, problems: Problems): DocumentPeer[] {
  return shapes.map((shape, index) => {
    const problem = problemOf(shape)
    if (problem !== undefined) problems.push(`${path}[${index}]${problem}`)
    return readPeer(shape)
  })
}

function readPeer({ peer, cidr, except = [], tenant, segment }: PeerShape): DocumentPeer {
  if (cidr !== undefined) return { kind: 'cidr', cidr, except }
  if (tenant !== undefined) return { kind: 'party', tenant, segment }
  return { kind: peer ?? 'any' }
}

function problemOf({ peer, cidr, except, tenant, segment }: PeerShape): string | undefined {
  const kinds = [peer, cidr, tenant].filter((kind) => kind !== undefined).length
  if (segment !== undefined && tenant === undefined) return '.segment: names a segment and not its tenant'
  if (except !== undefined && cidr === undefined) return '.except: goes with "cidr" only'
  if (kinds !== 1) return ': must have one of "peer", "cidr" and "tenant"'
  const outside = except?.findIndex((part) => cidr?.overlaps(part) === false) ?? -1
  return outside < 0 ? undefined : `.except[${outside}]: lies outside ${cidr}`
}
