/** Builds the object graph: stores, host, drivers. The only place that makes concrete classes. */
import { reasonOf } from '../errors.ts'
import { openIpBatch } from '../host/ip-batch.ts'
import { findIptables } from '../host/iptables-variant.ts'
import { type Host, openLinuxHost } from '../host/linux-host.ts'
import { makeRunCommand, type RunCommand, startCoprocess, startMonitor } from '../host/processes.ts'
import { type HostWatch, watchHost } from '../host/watch.ts'
import { makeIpamDriver } from '../ipam-driver/driver.ts'
import { NetworkDriver } from '../network-driver/driver.ts'
import { checkPlanIsFree } from '../network-driver/plan-check.ts'
import { type RepairParts, startRepairLoop } from '../network-driver/repair.ts'
import { openEmbeddedStore } from '../store/embedded.ts'
import { Admin } from './admin.ts'
import type { Config } from './config.ts'
import { ensureHost, ensurePlan, readMachineId } from './first-records.ts'
import type { Log } from './log.ts'
import type { Drivers } from './methods.ts'

/** What runs, and how to end it. The kernel's state stays: containers go on talking. */
export interface Running {
  readonly drivers: Drivers
  readonly admin: Admin
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
  const openStore = async (name: string) =>
    opened.adopt(await openEmbeddedStore(`${paths.state}/${name}.db`), (store) => store.close())
  const directory = await openStore('directory')
  const journal = await openStore('journal')
  const run = makeRunCommand(paths.xtablesLock)
  const host = opened.adopt(await openHost(config, run), (open) => open.close())
  const seen = await host.observe()
  const plans = await ensurePlan(directory, config, (plan) => checkPlanIsFree(plan, seen))
  const number = await ensureHost(directory, plans.ipv4, await readMachineId(paths.machineId))
  const onState = keepRepaired(run, log, opened, async (noticed) => (await opening).repair(noticed))
  const opening = NetworkDriver.open({
    stores: { directory, journal, host: number },
    host,
    plans,
    uplinks: config.uplinks,
    masquerade: config.masquerade,
    iptables: config.iptables,
    storeAddresses: () => undefined,
    onPlan: (plan, noticed) => logPlan(log, plan, noticed),
    onState,
  })
  const network = await opening
  const ipam = makeIpamDriver({
    directory,
    journal,
    plan: plans.ipv4,
    host: number,
    mayCreate: config.createSegments,
    nowMs: () => performance.now(),
    checkPlanIsFree: () => network.checkPlanIsFree(),
  })
  for (const problem of await ipam.recover()) log.error(problem)
  log.info({ host: number, plan: String(plans.ipv4.cidr), recovered: network.recovered }, 'ready')
  return { drivers: { ipam, network }, admin: new Admin({ journal, plans, ipam, network }) }
}

async function openHost({ paths }: Config, run: RunCommand): Promise<Host> {
  return openLinuxHost({
    run,
    fastBatch: openIpBatch(startCoprocess),
    slowBatch: openIpBatch(startCoprocess),
    iptables: await findIptables(run),
    sysNetPath: paths.sysNet,
  })
}

/** Watches the host and lets it be repaired. Gives what is to be told which rules it shall have. */
function keepRepaired(
  run: RunCommand,
  log: Log,
  opened: AsyncDisposableStack,
  look: RepairParts['look'],
): HostWatch['follow'] {
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
  return watch.follow
}

function logPlan(log: Log, plan: string, noticed?: readonly string[]): void {
  if (noticed === undefined) log.info({ plan }, 'changing the host')
  else log.warn({ plan, noticed }, 'others changed the host: putting back what is missing')
}
