/** `-o nat=true|false`: whether what leaves a segment gets an address of the host. Pure. */
import type { Cidr } from '../address/cidr.ts'
import { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import type { NetworkRecord } from '../store/records.ts'

/** Cells whose networks say otherwise than the plugin's setting. @param masquerade the setting */
export function natExceptions(networks: readonly NetworkRecord[], masquerade: boolean): Cidr[] {
  const cells = networks
    .filter(({ nat = masquerade }) => nat !== masquerade)
    .flatMap(poolsOf)
    .map(({ cell }) => cell)
  return [...new Map(cells.map((cell) => [String(cell), cell])).values()]
}

/**
 * Networks of one segment share their addresses, so that nobody outside could tell them apart.
 * @throws RomanaError E_OPTION when another network of the segment has it otherwise.
 */
export function refuseOtherNat(
  network: NetworkRecord,
  others: readonly NetworkRecord[],
  masquerade: boolean,
): void {
  const { tenant, segment, networkId, nat = masquerade } = network
  const other = others.find(
    (each) =>
      each.networkId !== networkId &&
      each.tenant === tenant &&
      each.segment === segment &&
      (each.nat ?? masquerade) !== nat,
  )
  if (other === undefined) return
  throw new RomanaError('E_OPTION', {
    cannot: `make a network with nat=${nat} of segment "${segment}" of tenant "${tenant}"`,
    because: `network "${other.networkId}" of the segment has nat=${!nat} on this host`,
    remedy: `Use -o nat=${!nat}, or another segment`,
  })
}
