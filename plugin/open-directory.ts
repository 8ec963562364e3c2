/** The directory: this host's own, or the etcd that several hosts share. And what this host is in it. */
import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { HOST_REST_MS } from '../cluster/host-claim.ts'
import { isBound, type JoinParts, joinCluster, type Membership } from '../cluster/membership.ts'
import { moveDirectory } from '../cluster/move.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { checkPlanIsFree } from '../network-driver/plan-check.ts'
import { openEmbeddedStore } from '../store/embedded.ts'
import type { EtcdStore } from '../store/etcd.ts'
import { MembershipRecord } from '../store/host-records.ts'
import { journalKeys } from '../store/keys.ts'
import { getRecord } from '../store/records.ts'
import { makeRevisionAge } from '../store/revision-age.ts'
import type { Store } from '../store/store.ts'
import type { Config } from './config.ts'
import { type EtcdSettings, loadEtcdOptions } from './etcd-settings.ts'
import { readMachine, readSharedMachine } from './machine.ts'

export interface Directory {
  readonly store: Store
  /** Absent on a single host. */
  readonly etcd?: EtcdStore
  readonly membership: Membership
  /** Asks the directory again what this host is, and tells it where it is now. @throws RomanaError as {@link joinCluster} */
  join(): Promise<Membership>
  /** Whether this host is somewhere else than the directory was told last. @throws RomanaError E_UNDERLAY, E_COMMAND */
  hasMoved(): Promise<boolean>
}

export interface DirectoryParts {
  readonly config: Config
  readonly journal: Store
  readonly observe: () => Promise<ObservedHost>
  readonly opened: AsyncDisposableStack
}

/** @throws RomanaError E_CONFIG, E_UNDERLAY, E_STORE and what {@link joinCluster} throws */
export async function openDirectory(parts: DirectoryParts): Promise<Directory> {
  const { etcd } = parts.config
  return etcd === undefined ? openOwn(parts) : openShared(parts, etcd)
}

async function openOwn(parts: DirectoryParts): Promise<Directory> {
  const { config, opened } = parts
  const store = opened.adopt(await openEmbeddedStore(ownPath(config)), (each) => each.close())
  const machine = await readMachine(config.paths)
  const seen = await parts.observe()
  const join = () => joinCluster({ ...joinParts(parts, store, seen), isShared: false, machine })
  return { store, membership: await join(), join, hasMoved: async () => false }
}

/** The client of etcd is loaded by who needs it only. */
async function openShared(parts: DirectoryParts, settings: EtcdSettings): Promise<Directory> {
  const { config, opened, observe } = parts
  const { openEtcdStore } = await import('../store/etcd.ts')
  const options = await loadEtcdOptions(settings, `${config.paths.state}/tls`)
  const readNow = async () => {
    const seen = await observe()
    return { seen, machine: await readSharedMachine(config.paths, seen, config.underlayAddress) }
  }
  const first = await readNow()
  const etcd = openEtcdStore({ ...options, owner: first.machine.machineId.replace(/[^\w.-]/g, '_') })
  opened.defer(() => etcd.close())
  const shared: JoinParts = { ...joinParts(parts, etcd, first.seen), isShared: true, machine: first.machine }
  await moveOnce(parts, shared, first.seen)
  let told = first.machine
  return {
    store: etcd,
    etcd,
    membership: await joinCluster(shared),
    async join() {
      const { machine } = await readNow()
      const membership = await joinCluster({ ...shared, machine })
      told = machine
      return membership
    },
    hasMoved: async () => !isDeepStrictEqual((await readNow()).machine.underlay, told.underlay),
  }
}

function joinParts({ config, journal }: DirectoryParts, directory: Store, seen: ObservedHost) {
  return {
    directory,
    journal,
    wish: config,
    checkPlan: (plan: Parameters<typeof checkPlanIsFree>[0]) => checkPlanIsFree(plan, seen),
    globalId: randomGlobalId(),
    age: makeRevisionAge(HOST_REST_MS, () => performance.now()),
  }
}

function randomGlobalId(): bigint {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
  return (BigInt(high & 0xff) << 32n) | BigInt(low)
}

/** A host that was alone until now, and has networks, brings its directory along. */
async function moveOnce(parts: DirectoryParts, shared: JoinParts, seen: ObservedHost): Promise<void> {
  const { config, journal } = parts
  const known = await getRecord(journal, MembershipRecord, journalKeys.membership())
  if (known?.record.isShared === true || !existsSync(ownPath(config)) || !(await isBound(journal))) return
  const from = await openEmbeddedStore(ownPath(config))
  try {
    const before = { ...joinParts(parts, from, seen), isShared: false, machine: shared.machine }
    const { host, instanceId } = await joinCluster(before)
    await moveDirectory({ from, to: shared.directory, journal, host, instanceId })
  } finally {
    await from.close()
  }
}

function ownPath({ paths }: Config): string {
  return `${paths.state}/directory.db`
}
