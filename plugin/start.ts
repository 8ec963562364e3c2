/** Builds the object graph: stores, host, drivers. The only place that makes concrete classes. */

import type { Repeating } from '../cluster/repeat.ts'
import { reasonOf } from '../errors.ts'
import { readEphemeralPorts } from '../host/ephemeral-ports.ts'
import { makeSetSysctl } from '../host/host-files.ts'
import { openIpBatch } from '../host/ip-batch.ts'
import { findIptables } from '../host/iptables-variant.ts'
import { type Host, openLinuxHost } from '../host/linux-host.ts'
import { makeRunCommand, type RunCommand, startCoprocess, startMonitor } from '../host/processes.ts'
import { makeFindSegmentMatch } from '../host/segment-match.ts'
import type { SegmentMatch } from '../host/segment-rules.ts'
import { type HostWatch, watchHost } from '../host/watch.ts'
import { makeIpamDriver } from '../ipam-driver/driver.ts'
import { NetworkDriver } from '../network-driver/driver.ts'
import { makeKeepForwardClosed } from '../network-driver/forward-policy.ts'
import { type RepairParts, startRepairLoop } from '../network-driver/repair.ts'
import { openEmbeddedStore } from '../store/embedded.ts'
import { guardStore } from '../store/guarded.ts'
import type { HostNumber } from '../store/ids.ts'
import type { Store } from '../store/store.ts'
import type { AdminParts } from './admin/routing.ts'
import { keepCut, keepEngineAsked, keepMirrored, keepPolicies, keepReconciled } from './background.ts'
import { type ClusterParts, type ClusterTasks, startClusterTasks } from './cluster-tasks.ts'
import type { Config } from './config.ts'
import { ContainerNames } from './container-names.ts'
import { PLAIN_NAME, TAGGED_NAME } from './driver-names.ts'
import type { EngineClient } from './engine.ts'
import type { Log } from './log.ts'
import type { Drivers } from './methods.ts'
import { type Directory, openDirectory } from './open-directory.ts'
import { openPortSockets } from './port-sockets.ts'
import { lookUpAddresses, type StoreAddresses, watchStoreAddresses } from './store-addresses.ts'

/** What runs, and how to end it. The kernel's state stays: containers go on talking. */
export interface Running {
  /** @throws RomanaError E_HOST_CLONE, E_CLUSTER when the cluster does not take this host for what it is */
  drivers(): Drivers
  readonly admin: AdminParts
  close(): Promise<void>
}

/** Recovery, from an empty or used host to drivers that may answer. A failed one leaves nothing open. @throws RomanaError */
export async function start(config: Config, log: Log): Promise<Running> {
  const opened = new AsyncDisposableStack()
  try {
    const plugin = await openPlugin(config, log, opened)
    return { ...plugin, close: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openPlugin(
  config: Config,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<Omit<Running, 'close'>> {
  const { paths } = config
  const journal = opened.adopt(await openEmbeddedStore(`${paths.state}/journal.db`), (store) => store.close())
  const run = makeRunCommand(paths.xtablesLock)
  const host = opened.adopt(await openHost(config, run), (open) => open.close())
  const directory = await openDirectory({ config, journal, observe: () => host.observe(), opened })
  const { plans, host: number } = directory.membership
  const repair = keepRepaired(run, log, opened, async (noticed) => {
    const plan = await (await opening).host.repair(noticed)
    cluster?.lookedAt()
    return plan
  })
  const stores = await openStoreAddresses(config, opened, repair.expect)
  const cluster = followCluster({ directory, journal, log, expect: repair.expect }, opened)
  const shared = guarded(directory.store, cluster)
  let cutting: Repeating | undefined
  const opening = NetworkDriver.open({
    stores: { directory: shared, journal, host: number },
    host,
    plans,
    uplinks: config.uplinks,
    masquerade: config.masquerade,
    isHostOpen: config.isHostOpen,
    iptables: config.iptables,
    segmentMatch: makeFindSegmentMatch({
      run,
      setting: config.segmentMatch,
      onFound: (match) => logSegmentMatch(log, match),
    }),
    keepForwardClosed: makeKeepForwardClosed(),
    storeAddresses: () => stores?.current(),
    ports: {
      sockets: opened.adopt(openPortSockets(), (sockets) => sockets.close()),
      anyPorts: await readEphemeralPorts(paths.sysNet),
      onLost: (error) =>
        log.error({ err: error }, `a port is published but not reserved: ${reasonOf(error)}`),
    },
    onPlan: (plan, noticed) => logPlan(log, plan, noticed),
    onState: repair.follow,
    onRulesWritten: () => cutting?.soon(),
  })
  const network = opened.adopt(await opening, (driver) =>
    driver.host
      .close()
      .catch((error: unknown) => log.error({ err: error }, `rules are left: ${reasonOf(error)}`)),
  )
  cutting = keepCut(network, log, opened)
  const ipam = makeIpamDriver({
    directory: shared,
    journal,
    plans,
    host: number,
    mayCreate: config.createSegments,
    nowMs: () => performance.now(),
    checkPlanIsFree: (family) => network.host.checkPlanIsFree(family),
    onHoldLeft: (error) => {
      log.warn({ err: error }, `a segment is left when the directory is back: ${error.message}`)
      reconciling.soon()
    },
  })
  const reconciling = keepReconciled(ipam, log, opened)
  const engine = await openEngineToAsk(config)
  keepCopied({ engine, directory: shared, journal, host: number, log }, opened)
  keepPolicies(shared, network, log, opened)
  log.info({ host: number, plan: String(plans.ipv4.cidr), recovered: network.recovered }, 'ready')
  return {
    drivers() {
      const refusal = cluster?.refusal()
      if (refusal !== undefined) throw refusal
      return { ipam, network }
    },
    admin: { journal, plans, ipam, network, cluster, engine },
  }
}

/** Undefined on a single host. */
function followCluster(
  { directory, ...parts }: Omit<ClusterParts, 'directory'> & { readonly directory: Directory },
  opened: AsyncDisposableStack,
): ClusterTasks | undefined {
  const { etcd } = directory
  if (etcd === undefined) return undefined
  return opened.adopt(startClusterTasks({ ...parts, directory: { ...directory, etcd } }), (tasks) =>
    tasks.close(),
  )
}

/** The directory for all but those who find out what this host is in it. */
function guarded(directory: Store, cluster: ClusterTasks | undefined): Store {
  if (cluster === undefined) return directory
  return guardStore(directory, () => {
    const doubt = cluster.doubt()
    if (doubt !== undefined) throw doubt
  })
}

/** Undefined unless the plugin may ask it. */
async function openEngineToAsk({ engineSocket, plainName }: Config): Promise<EngineClient | undefined> {
  if (engineSocket === undefined) return undefined
  const { openEngine } = await import('./engine.ts')
  return openEngine(engineSocket, plainName ? PLAIN_NAME : TAGGED_NAME)
}

interface CopyParts {
  readonly engine: EngineClient | undefined
  readonly directory: Store
  readonly journal: Store
  readonly host: HostNumber
  readonly log: Log
}

/** The directory's copy of this host, with the names of its containers where the engine may be asked. */
function keepCopied(parts: CopyParts, opened: AsyncDisposableStack): void {
  const { engine, log, ...stores } = parts
  const names = new ContainerNames()
  const mirror = keepMirrored({ ...stores, containerOf: names.containerOf }, log, opened)
  names.onLearnt = (endpointIds) => mirror.named(endpointIds)
  if (engine !== undefined) keepEngineAsked({ ...stores, engine }, names, log, opened)
}

async function openStoreAddresses(
  { etcd }: Config,
  opened: AsyncDisposableStack,
  expect: (what: string) => void,
): Promise<StoreAddresses | undefined> {
  if (etcd === undefined) return undefined
  const addresses = await watchStoreAddresses({
    endpoints: etcd.endpoints,
    lookup: lookUpAddresses,
    onChange: () => expect('the addresses of the store'),
  })
  return opened.adopt(addresses, (watched) => watched.close())
}

async function openHost({ paths }: Config, run: RunCommand): Promise<Host> {
  return openLinuxHost({
    run,
    fastBatch: openIpBatch(startCoprocess),
    slowBatch: openIpBatch(startCoprocess),
    iptables: await findIptables(run),
    sysNetPath: paths.sysNet,
    resolverFiles: paths.resolverFiles,
    setSysctl: makeSetSysctl(paths.sysNet),
  })
}

interface Repair {
  /** Told which rules the host shall have. */
  readonly follow: HostWatch['follow']
  /** Lets the host be looked at: what it shall carry has changed. */
  readonly expect: (what: string) => void
}

/** Watches the host and lets it be repaired. */
function keepRepaired(
  run: RunCommand,
  log: Log,
  opened: AsyncDisposableStack,
  look: RepairParts['look'],
): Repair {
  const loop = startRepairLoop({
    look,
    onFight: (fight) => log.warn(fight, 'others keep changing what is put back: the next look waits'),
    onFailure: (error) => log.error({ err: error }, `the host is not repaired: ${reasonOf(error)}`),
  })
  opened.defer(() => loop.close())
  const watch = watchHost({
    run,
    startMonitor,
    onChange: (what) => loop.notice(what),
    onTrouble: (text) => log.warn(text),
  })
  opened.defer(() => watch.close())
  return { follow: watch.follow, expect: (what) => loop.expect(what) }
}

function logSegmentMatch(log: Log, segmentMatch: SegmentMatch): void {
  log.info({ segmentMatch }, segmentMatch === 'bpf' ? 'one rule for all segments' : 'a rule for each segment')
}

function logPlan(log: Log, plan: string, noticed?: readonly string[]): void {
  if (noticed === undefined) log.info({ plan }, 'changing the host')
  else log.warn({ plan, noticed }, 'the host is not as it shall be: changing it')
}
