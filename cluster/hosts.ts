/** What people do with the hosts of the cluster. */
import { RomanaError } from '../errors.ts'
import { HostRecord, SessionRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, getRecord, listRecords, type Stored } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { describeHost } from './claim-errors.ts'

/** `alive`: its plugin runs and reaches the store. */
export type HostState = 'alive' | 'away' | 'removed'

export interface HostView extends HostRecord {
  readonly state: HostState
}

/** By number. @throws RomanaError E_STORE, E_RECORD */
export async function listHosts(directory: Store): Promise<HostView[]> {
  const sessions = await listRecords(directory, SessionRecord, directoryKeys.sessions())
  const alive = new Set(sessions.map(({ host }) => host))
  const hosts = await listRecords(directory, HostRecord, directoryKeys.hosts())
  return hosts.map((host) => ({ ...host, state: stateOf(host, alive) })).sort((a, b) => a.number - b.number)
}

function stateOf({ number, removed }: HostRecord, alive: ReadonlySet<HostNumber>): HostState {
  if (removed) return 'removed'
  return alive.has(number) ? 'alive' : 'away'
}

/** How many changes a transaction has. */
const BATCH = 100

/**
 * All others stop routing to the host, and its number rests. What the directory knows of its networks and endpoints goes. Well
 * when it is removed already.
 * @throws RomanaError E_HOST_UNKNOWN, E_HOST_IN_USE while its plugin runs, E_STORE
 */
export async function removeHost(directory: Store, number: HostNumber): Promise<HostRecord> {
  const { record, revision } = await getHost(directory, number, 'remove')
  await refuseIfAlive(directory, record)
  if (!record.removed) {
    const value = formatRecord({ ...record, removed: true })
    const key = directoryKeys.host(number)
    const { committed } = await directory.commit([{ kind: 'swap', key, value, revision }])
    if (!committed) return removeHost(directory, number)
  }
  for (const prefix of [directoryKeys.hostEndpoints(number), directoryKeys.hostNetworks(number)])
    await removeAll(directory, prefix)
  return record
}

/**
 * The next machine with the machine id of the host is that host, whatever its hardware.
 * @throws RomanaError E_HOST_UNKNOWN, E_HOST_IN_USE while its plugin runs, E_STORE
 */
export async function acceptHost(directory: Store, number: HostNumber): Promise<HostRecord> {
  const { record, revision } = await getHost(directory, number, 'accept')
  await refuseIfAlive(directory, record)
  const { productUuid: _, ...rest } = record
  const accepted = { ...rest, linkAddresses: [] }
  const key = directoryKeys.host(number)
  const value = formatRecord(accepted)
  const { committed } = await directory.commit([{ kind: 'swap', key, value, revision }])
  return committed ? accepted : acceptHost(directory, number)
}

async function getHost(directory: Store, number: HostNumber, verb: string): Promise<Stored<HostRecord>> {
  const found = await getRecord(directory, HostRecord, directoryKeys.host(number))
  if (found !== undefined) return found
  throw new RomanaError('E_HOST_UNKNOWN', {
    cannot: `${verb} host ${number}`,
    because: 'there is none of this number',
    remedy: 'The numbers are in: romana host list',
  })
}

async function refuseIfAlive(directory: Store, host: HostRecord): Promise<void> {
  if ((await directory.get(directoryKeys.session(host.number))) === undefined) return
  throw new RomanaError('E_HOST_IN_USE', {
    cannot: `change ${describeHost(host)}`,
    because: 'its plugin runs, or has just ended',
    remedy: 'Remove its networks and its plugin on that host first, and wait ten seconds',
  })
}

async function removeAll(directory: Store, prefix: string): Promise<void> {
  const { entries } = await directory.list(prefix)
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH)
    await directory.commit(batch.map(({ key }) => ({ kind: 'remove', key })))
  }
}
