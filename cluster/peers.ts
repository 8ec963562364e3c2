/** The other hosts: what the directory says of them is kept in the journal, where routes and rules come from. */
import { RomanaError } from '../errors.ts'
import { followRecords } from '../store/follow.ts'
import { HostRecord, type PeerRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { formatRecord } from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'

export interface PeersParts {
  readonly directory: Store
  readonly journal: Store
  /** This host. */
  readonly host: HostNumber
  readonly instanceId: string
  /** Told when the journal knows other hosts than before. */
  readonly onChange: () => void
  /** Told once when the directory is away, or says something else of this host; then what was known stays. */
  readonly onTrouble: (error: unknown) => void
  /** Told when the directory answers, for the first time or again. */
  readonly onReach: () => Promise<void> | void
  readonly signal: AbortSignal
}

/** How many changes a transaction has. */
const BATCH = 100

/** Resolves when `signal` aborts. */
export function followPeers(parts: PeersParts): Promise<void> {
  const { directory, onTrouble, onReach, signal } = parts
  return followRecords({
    store: directory,
    prefix: directoryKeys.hosts(),
    schema: HostRecord,
    onRecords: (hosts) => keepPeers(parts, hosts),
    onTrouble,
    onReach,
    signal,
  })
}

async function keepPeers(parts: PeersParts, hosts: readonly HostRecord[]): Promise<void> {
  checkOwn(parts, hosts)
  const changes = await changesOf(parts, hosts)
  for (let from = 0; from < changes.length; from += BATCH)
    await parts.journal.commit(changes.slice(from, from + BATCH))
  if (changes.length > 0) parts.onChange()
}

/**
 * A directory that does not know this host was emptied, or is another cluster's: its word on the others is worth nothing, and a
 * route that is taken away cuts living containers off.
 * @throws RomanaError E_CLUSTER
 */
function checkOwn({ host, instanceId }: PeersParts, hosts: readonly HostRecord[]): void {
  const own = hosts.find(({ number }) => number === host)
  if (own !== undefined && !own.removed && own.instanceId === instanceId) return
  throw new RomanaError('E_CLUSTER', {
    cannot: 'take over what the store says of the hosts',
    because:
      own === undefined
        ? `it does not know host ${host}, which is this one`
        : `it has host ${host}, which is this one, as ${own.removed ? 'removed' : `another ("${own.name}")`}`,
    remedy:
      'Routes stay as they are. Check ROMANA_ETCD_ENDPOINTS and ROMANA_ETCD_PREFIX, and "romana host list" on another host',
  })
}

/**
 * A host goes when its record says so. One without a record was never removed: the directory was emptied, and this host was the
 * first to come back into it.
 */
async function changesOf({ journal, host }: PeersParts, hosts: readonly HostRecord[]): Promise<Change[]> {
  const wanted = new Map(
    hosts.flatMap(({ number, underlay, removed }): [string, string][] => {
      if (number === host || removed || underlay === undefined) return []
      const peer: PeerRecord = { number, ...underlay }
      return [[journalKeys.peer(number), formatRecord(peer)]]
    }),
  )
  const { entries } = await journal.list(journalKeys.peers())
  const present = new Map(entries.map(({ key, value }) => [key, value]))
  return [
    ...[...wanted].flatMap(([key, value]): Change[] =>
      present.get(key) === value ? [] : [{ kind: 'put', key, value }],
    ),
    ...hosts.flatMap(({ number }): Change[] => {
      const key = journalKeys.peer(number)
      return present.has(key) && !wanted.has(key) ? [{ kind: 'remove', key }] : []
    }),
  ]
}
