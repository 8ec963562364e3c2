/** What goes on behind the drivers and needs the directory. No call waits for it, and no start. */
import { keepEverywhere } from '../cluster/everywhere-keeper.ts'
import { type Mirror, type MirrorParts, startMirror } from '../cluster/mirror.ts'
import { type Repeating, startRepeating } from '../cluster/repeat.ts'
import { watchKeys } from '../cluster/watch-keys.ts'
import { reasonOf } from '../errors.ts'
import type { IpamDriver } from '../ipam-driver/driver.ts'
import type { NetworkDriver } from '../network-driver/driver.ts'
import { followRecords } from '../store/follow.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import { PolicyRecord } from '../store/policy-records.ts'
import type { Store } from '../store/store.ts'
import type { ContainerNames } from './container-names.ts'
import type { EngineClient } from './engine.ts'
import { makeFindGone } from './gone-networks.ts'
import type { Log } from './log.ts'

/** Milliseconds. */
const TIMES = { gatherMs: 1_000, distanceMs: 2_000, regularMs: 60_000, retryMs: 2_000 }

/** Milliseconds. A listing of thousands of containers costs the engine something. */
const NAMING_TIMES = { gatherMs: 1_000, distanceMs: 5_000, regularMs: 60_000, retryMs: 10_000 }

/** Brings journal and directory together at the start, regularly, and when something was left over. A problem is told once. */
export function keepReconciled(ipam: IpamDriver, log: Log, opened: AsyncDisposableStack): Repeating {
  let told: readonly string[] = []
  const repeating = startRepeating({
    ...TIMES,
    async task() {
      const problems = await ipam.recover()
      for (const problem of problems.filter((text) => !told.includes(text))) log.error(problem)
      told = problems
    },
    onFailure: (error) => log.warn({ err: error }, `pools are not reconciled: ${reasonOf(error)}`),
  })
  opened.defer(() => repeating.close())
  return repeating
}

/** The directory's copy of this host follows the journal. */
export function keepMirrored(parts: MirrorParts, log: Log, opened: AsyncDisposableStack): Mirror {
  const mirror = startMirror(parts, (error) =>
    log.warn({ err: error }, `the directory does not get its copy: ${reasonOf(error)}`),
  )
  opened.defer(() => mirror.close())
  return mirror
}

/**
 * Where the plugin may ask the engine: names of containers get into the copy, marked segments become networks, and networks
 * that the engine does not have any more are told of.
 */
export function keepEngineAsked(
  parts: { readonly directory: Store; readonly journal: Store; readonly engine: EngineClient },
  names: ContainerNames,
  log: Log,
  opened: AsyncDisposableStack,
): void {
  const { directory, journal, engine } = parts
  const naming = startRepeating({
    ...NAMING_TIMES,
    task: async () => names.learn(await engine.containers()),
    onFailure: (error) => log.warn({ err: error }, `containers are not named: ${reasonOf(error)}`),
  })
  opened.defer(() => naming.close())
  const soon = () => naming.soon()
  const watch = watchKeys(journal, journalKeys.endpoints(), { onEvent: soon, onGap: soon })
  opened.defer(() => watch.close())
  const everywhere = keepEverywhere({
    directory,
    engine,
    onNews: (text) => log.info(text),
    onFailure: (error) => log.warn({ err: error }, `segments everywhere: ${reasonOf(error)}`),
  })
  opened.defer(() => everywhere.close())
  const goneNetworks = makeFindGone({ journal, engine })
  const looking = startRepeating({
    ...TIMES,
    async task() {
      for (const gone of await goneNetworks()) log.warn(gone)
    },
    onFailure: (error) =>
      log.warn({ err: error }, `networks are not compared with the engine's: ${reasonOf(error)}`),
  })
  opened.defer(() => looking.close())
}

/** Milliseconds. Where thousands of flows are forbidden, cutting them takes seconds. */
const CUTTING_TIMES = { gatherMs: 0, distanceMs: 1_000, regularMs: 60_000, retryMs: 2_000 }

/** What a policy forbids, or began while rules were missing, does not go on behind the rules. */
export function keepCut(network: NetworkDriver, log: Log, opened: AsyncDisposableStack): Repeating {
  const cutting = startRepeating({
    ...CUTTING_TIMES,
    async task() {
      const cut = await network.host.cutStrays()
      if (cut > 0) log.info({ cut }, 'forbidden flows are cut')
    },
    onFailure: (error) => log.warn({ err: error }, `forbidden flows are not cut: ${reasonOf(error)}`),
  })
  opened.defer(() => cutting.close())
  return cutting
}

/** What the directory says of policies comes to this host. */
export function keepPolicies(
  directory: Store,
  network: NetworkDriver,
  log: Log,
  opened: AsyncDisposableStack,
): void {
  const stop = new AbortController()
  const following = followRecords({
    store: directory,
    prefix: directoryKeys.policies(),
    schema: PolicyRecord,
    async onRecords(policies) {
      await network.host.setPolicies(policies)
      log.debug({ policies: policies.length }, 'policies are carried out')
    },
    onTrouble: (error) => log.error({ err: error }, `policies stay as they are: ${reasonOf(error)}`),
    signal: stop.signal,
  })
  opened.defer(async () => {
    stop.abort()
    await following
  })
}
