/**
 * The mirror: what the directory has of this host's networks and endpoints follows the journal, written behind in batches.
 * People and tools look there, and so does this host if it loses its journal. No call of a driver waits for it.
 */
import type { HostNumber } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { EndpointRecord, getRecord, NetworkRecord } from '../store/records.ts'
import type { Change, Store } from '../store/store.ts'
import {
  type ContainerOf,
  type Copy,
  type CopyParts,
  changesBetween,
  copiesOf,
  endpointCopy,
  isCopied,
  networkCopy,
} from './mirror-copies.ts'
import { startRepeating } from './repeat.ts'
import { watchKeys } from './watch-keys.ts'

export interface MirrorParts {
  readonly journal: Store
  readonly directory: Store
  /** This host's number. */
  readonly host: HostNumber
  readonly containerOf: ContainerOf
}

export interface Mirror {
  /** The container of these endpoints has become known. */
  named(endpointIds: readonly string[]): void
  /** No further writes. Resolves when the one under way has ended. */
  close(): Promise<void>
}

/** Changes of one transaction: the directory's limit is a little higher. */
const BATCH = 100
/** Milliseconds. */
const TIMES = { gatherMs: 100, distanceMs: 300, regularMs: 60_000, retryMs: 2_000 }

/** Starts it. @param onFailure told of the first failure in a row; it is tried again. */
export function startMirror(parts: MirrorParts, onFailure: (error: unknown) => void, times = TIMES): Mirror {
  const writer = new MirrorWriter(parts, times.regularMs)
  const repeating = startRepeating({ ...times, task: () => writer.write(), onFailure })
  const following = watchKeys(parts.journal, '/', {
    onEvent({ key }) {
      if (key === journalKeys.takenOver()) writer.forget()
      else if (isCopied(key)) writer.changed(key)
      else return
      repeating.soon()
    },
    onGap() {
      writer.forget()
      repeating.soon()
    },
  })
  return {
    named(endpointIds) {
      for (const id of endpointIds) writer.changed(`${journalKeys.endpoints()}${id}`)
      repeating.soon()
    },
    async close() {
      await following.close()
      await repeating.close()
    },
  }
}

/** Lists both sides once and makes the directory equal to the journal. @throws RomanaError E_STORE, E_RECORD */
export async function mirrorAll(parts: MirrorParts): Promise<void> {
  await new MirrorWriter(parts, 0).write()
}

/** Remembers what it has written, so that a change costs a write and no reading of the directory. */
class MirrorWriter {
  readonly #parts: MirrorParts
  readonly #regularMs: number
  readonly #changed = new Set<string>()
  /** What the directory has, as long as `mustList` does not say otherwise. */
  #present: ReadonlyMap<string, string> = new Map()
  #mustList = true
  #listedMs = 0

  constructor(parts: MirrorParts, regularMs: number) {
    this.#parts = parts
    this.#regularMs = regularMs
  }

  /** @param key of the journal. */
  changed(key: string): void {
    this.#changed.add(key)
  }

  /** Both sides are to be listed. */
  forget(): void {
    this.#mustList = true
  }

  /** @throws RomanaError E_STORE, E_RECORD, after which both sides are listed. */
  async write(): Promise<void> {
    // A journal that was lost must not take from the directory what is to be read from there.
    if ((await this.#parts.journal.get(journalKeys.takenOver())) === undefined) return
    const keys = [...this.#changed]
    this.#changed.clear()
    const isAll = this.#mustList || performance.now() - this.#listedMs >= this.#regularMs
    this.#mustList = false
    try {
      this.#present = await (isAll ? this.#writeAll() : this.#writeChanged(keys))
    } catch (error) {
      this.#mustList = true
      throw error
    }
  }

  async #writeAll(): Promise<Map<string, string>> {
    const { journal, directory, host } = this.#parts
    this.#listedMs = performance.now()
    const listings = await Promise.all([
      directory.list(directoryKeys.hostNetworks(host)),
      directory.list(directoryKeys.hostEndpoints(host)),
    ])
    const present = new Map(listings.flatMap(({ entries }) => entries).map(({ key, value }) => [key, value]))
    // Networks come first in being and last in going, so they are read first and no endpoint lacks its own.
    const endpoints = await journal.list(journalKeys.endpoints())
    const networks = await journal.list(journalKeys.networks())
    const wanted = copiesOf({ ...this.#parts, present }, networks.entries, endpoints.entries)
    await this.#commit(changesBetween(present, wanted))
    return wanted
  }

  async #writeChanged(keys: readonly string[]): Promise<Map<string, string>> {
    const present = this.#present
    const wanted = new Map(present)
    for (const key of keys) await this.#look(key, { ...this.#parts, present }, wanted)
    await this.#commit(changesBetween(present, wanted))
    return wanted
  }

  /** Puts the copy of what the journal has under `journalKey` into `wanted`, or takes it out. */
  async #look(journalKey: string, parts: CopyParts, wanted: Map<string, string>): Promise<void> {
    const { journal, host } = this.#parts
    const isNetwork = journalKey.startsWith(journalKeys.networks())
    const id = journalKey.slice((isNetwork ? journalKeys.networks() : journalKeys.endpoints()).length)
    wanted.delete(`${isNetwork ? directoryKeys.hostNetworks(host) : directoryKeys.hostEndpoints(host)}${id}`)
    const copy = await (isNetwork
      ? networkCopyIn(journal, host, journalKey)
      : endpointCopyIn(journal, parts, journalKey))
    if (copy !== undefined) wanted.set(...copy)
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    for (let from = 0; from < changes.length; from += BATCH) {
      await this.#parts.directory.commit(changes.slice(from, from + BATCH))
    }
  }
}

async function networkCopyIn(journal: Store, host: HostNumber, key: string): Promise<Copy | undefined> {
  const found = await getRecord(journal, NetworkRecord, key)
  return found && networkCopy(host, found.record)
}

async function endpointCopyIn(journal: Store, parts: CopyParts, key: string): Promise<Copy | undefined> {
  const endpoint = (await getRecord(journal, EndpointRecord, key))?.record
  const network =
    endpoint && (await getRecord(journal, NetworkRecord, journalKeys.network(endpoint.networkId)))?.record
  return endpoint && network && endpointCopy(parts, endpoint, network)
}
