/** Builds the object graph: stores, host, drivers. The only place that makes concrete classes. */
import { openIpBatch } from '../host/ip-batch.ts'
import { findIptablesVariant } from '../host/iptables-variant.ts'
import { type Host, openLinuxHost } from '../host/linux-host.ts'
import { makeRunCommand, startCoprocess } from '../host/processes.ts'
import { makeIpamDriver } from '../ipam-driver/driver.ts'
import { NetworkDriver } from '../network-driver/driver.ts'
import { checkPlanIsFree } from '../network-driver/plan-check.ts'
import { openEmbeddedStore } from '../store/embedded.ts'
import type { Config } from './config.ts'
import { ensureHost, ensurePlan, readMachineId } from './first-records.ts'
import type { Log } from './log.ts'
import type { Drivers } from './methods.ts'

/** What runs, and how to end it. The kernel's state stays: containers go on talking. */
export interface Running {
  readonly drivers: Drivers
  close(): Promise<void>
}

/** Recovery, from an empty or used host to drivers that may answer. A failed one leaves nothing open. @throws RomanaError */
export async function start(config: Config, log: Log): Promise<Running> {
  const opened = new AsyncDisposableStack()
  try {
    const drivers = await openDrivers(config, log, opened)
    return { drivers, close: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openDrivers(config: Config, log: Log, opened: AsyncDisposableStack): Promise<Drivers> {
  const { paths } = config
  const openStore = async (name: string) =>
    opened.adopt(await openEmbeddedStore(`${paths.state}/${name}.db`), (store) => store.close())
  const directory = await openStore('directory')
  const journal = await openStore('journal')
  const host = opened.adopt(await openHost(config), (open) => open.close())
  const seen = await host.observe()
  const plans = await ensurePlan(directory, config, (plan) => checkPlanIsFree(plan, seen))
  const number = await ensureHost(directory, plans.ipv4, await readMachineId(paths.machineId))
  const network = await NetworkDriver.open({
    stores: { directory, journal, host: number },
    host,
    plans,
    uplinks: config.uplinks,
    onPlan: (plan) => log.info({ plan }, 'changing the host'),
  })
  const ipam = makeIpamDriver({
    directory,
    journal,
    plan: plans.ipv4,
    host: BigInt(number),
    nowMs: () => performance.now(),
    checkPlanIsFree: () => network.checkPlanIsFree(),
  })
  log.info({ host: number, plan: String(plans.ipv4.cidr), recovered: network.recovered }, 'ready')
  return { ipam, network }
}

async function openHost({ iptables, paths }: Config): Promise<Host> {
  const run = makeRunCommand(paths.xtablesLock)
  return openLinuxHost({
    run,
    fastBatch: openIpBatch(startCoprocess),
    slowBatch: openIpBatch(startCoprocess),
    iptables: iptables === 'auto' ? await findIptablesVariant(run) : iptables,
    sysNetPath: paths.sysNet,
  })
}
