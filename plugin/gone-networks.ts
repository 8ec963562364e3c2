/**
 * Networks that the engine removed while the plugin was away. They are told of and not removed: the engine that is asked may be
 * another one than the one that made them.
 */
import type { EngineNetworks } from '../cluster/everywhere-keeper.ts'
import { journalKeys } from '../store/keys.ts'
import { listRecords, NetworkRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/**
 * Gives a line for the log, once for each network, when two looks in a row have missed it: the engine lists a new network some
 * moments after it was made. @throws RomanaError E_ENGINE, E_STORE, E_RECORD
 */
export function makeFindGone({
  journal,
  engine,
}: {
  readonly journal: Store
  readonly engine: Pick<EngineNetworks, 'networks'>
}): () => Promise<string[]> {
  let missed = new Set<string>()
  let told = new Set<string>()
  return async () => {
    const there = new Set((await engine.networks()).map(({ id }) => id))
    const recorded = await listRecords(journal, NetworkRecord, journalKeys.networks())
    const missing = recorded.filter(({ networkId }) => !there.has(networkId))
    const gone = missing.filter(({ networkId }) => missed.has(networkId))
    const news = gone.filter(({ networkId }) => !told.has(networkId))
    missed = new Set(missing.map(({ networkId }) => networkId))
    told = new Set(gone.map(({ networkId }) => networkId))
    return news.map(describe)
  }
}

function describe({ networkId, tenant, segment }: NetworkRecord): string {
  return `the engine does not have network "${networkId}" of segment "${segment}" of tenant "${tenant}" any more: romana network remove ${networkId.slice(0, 12)}`
}
