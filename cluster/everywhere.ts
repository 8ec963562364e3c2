/** Segments that shall be a Docker network on every host: which networks of the engine are to be made and removed. Pure. */
import type { EverywhereRecord } from '../store/records.ts'

/** Says which segment a network was made for. Without it Romana removes no network. */
export const EVERYWHERE_LABEL = 'romana.everywhere'

/** A Docker network of this host, whoever made it. */
export interface EngineNetwork {
  readonly id: string
  readonly name: string
  /** The value of {@link EVERYWHERE_LABEL}: "blue/web". */
  readonly everywhere?: string | undefined
}

export interface EverywherePlan {
  readonly create: readonly EverywhereRecord[]
  readonly remove: readonly EngineNetwork[]
  /** Marks whose name a network of somebody else has: it stays as it is. */
  readonly clashes: readonly EverywhereRecord[]
}

/** One network for each mark, and none without. */
export function planEverywhere(
  marks: readonly EverywhereRecord[],
  networks: readonly EngineNetwork[],
): EverywherePlan {
  const isOf = (mark: EverywhereRecord, network: EngineNetwork) =>
    network.everywhere === labelOf(mark) && network.name === mark.network
  const missing = marks.filter((mark) => !networks.some((network) => isOf(mark, network)))
  const isForeign = (mark: EverywhereRecord) =>
    networks.some(({ name, everywhere }) => name === mark.network && everywhere === undefined)
  return {
    create: missing.filter((mark) => !isForeign(mark)),
    remove: networks.filter(
      (network) => network.everywhere !== undefined && !marks.some((mark) => isOf(mark, network)),
    ),
    clashes: missing.filter(isForeign),
  }
}

/** The value of {@link EVERYWHERE_LABEL}. */
export function labelOf({ tenant, segment }: EverywhereRecord): string {
  return `${tenant}/${segment}`
}
