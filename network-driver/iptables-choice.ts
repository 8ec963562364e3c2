/** Which iptables holds the rules: where Docker has its own, an accept of ours counts. */

import type { ObservedHost, SeenTable } from '../host/host-state.ts'
import type { IptablesVariant } from '../host/iptables-variant.ts'
import { journalKeys } from '../store/keys.ts'
import { formatRecord, getRecord, IptablesRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** The setting: `auto` follows Docker. */
export type IptablesSetting = IptablesVariant | 'auto'

/**
 * When the host starts, the plugin comes before Docker's chains: then the variant that Docker had before is taken, and
 * nft where that is unknown.
 * @throws RomanaError E_STORE, E_RECORD
 */
export async function chooseIptables(
  journal: Store,
  setting: IptablesSetting,
  { firewall }: Pick<ObservedHost, 'firewall'>,
): Promise<IptablesVariant> {
  if (setting !== 'auto') return setting
  return variantOfDocker(firewall) ?? (await rememberedIptables(journal)) ?? 'nft'
}

/** Writes only when it is news. @throws RomanaError E_STORE, E_RECORD */
export async function rememberIptables(
  journal: Store,
  { firewall }: Pick<ObservedHost, 'firewall'>,
): Promise<void> {
  const variant = variantOfDocker(firewall)
  if (variant === undefined || variant === (await rememberedIptables(journal))) return
  await journal.commit([{ kind: 'put', key: journalKeys.iptables(), value: formatRecord({ variant }) }])
}

/** The variant that has chains of Docker. Undefined where neither or both do: then this says nothing. */
function variantOfDocker(seen: readonly SeenTable[]): IptablesVariant | undefined {
  const tables = seen.filter(({ chains }) => [...chains.keys()].some((chain) => chain.startsWith('DOCKER')))
  const [first, ...others] = new Set(tables.map(({ variant }) => variant))
  return others.length === 0 ? first : undefined
}

async function rememberedIptables(journal: Store): Promise<IptablesVariant | undefined> {
  return (await getRecord(journal, IptablesRecord, journalKeys.iptables()))?.record.variant
}
