/** A Romana host that needs no kernel: both drivers over stores in memory, an engine that calls them, and what is seen. */

import * as v from 'valibot'
import { expect } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { mirrorAll } from '../../cluster/mirror.ts'
import type { Host } from '../../host/linux-host.ts'
import type { SegmentMatch } from '../../host/segment-rules.ts'
import type { StoreAddress } from '../../host/store-rules.ts'
import { makeIpamDriver } from '../../ipam-driver/driver.ts'
import { NetworkDriver } from '../../network-driver/driver.ts'
import { makeKeepForwardClosed } from '../../network-driver/forward-policy.ts'
import type { Recovered } from '../../network-driver/recovery.ts'
import { type Drivers, METHODS } from '../../plugin/methods.ts'
import { HostNumberSchema } from '../../store/ids.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { type CallPlugin, DockerEngine } from '../contract/docker-engine.ts'
import { keysOf, takenAddresses } from '../ipam-driver/ipam-steps.ts'
import { type FakeKernel, makeFakeKernel } from '../support/fake-kernel.ts'
import { type FakeSockets, makeFakeSockets } from '../support/fake-sockets.ts'

/** What outlives a restart of the plugin. */
export interface Remains {
  readonly kernel: FakeKernel
  readonly directory: Store
  readonly journal: Store
  readonly plan: string
  /** Without one there are no IPv6 networks. */
  readonly plan6?: string | undefined
  /** Stands still unless a test moves it. */
  readonly nowMs: () => number
}

export interface Romana extends Remains {
  readonly drivers: Drivers
  readonly recovered: Recovered
  /** Calls a method with a body as the engine sends it. @throws RomanaError */
  readonly call: CallPlugin
  readonly engine: DockerEngine
  readonly sockets: FakeSockets
  /** Every plan that was carried out. */
  readonly plans: readonly string[]
}

/** What a start may be given: all of it has a default. */
export interface StartWish extends Partial<Remains> {
  /** Instead of the kernel's own. */
  readonly host?: Host
  readonly sockets?: FakeSockets
  readonly segmentMatch?: SegmentMatch
  /** Of an etcd that hosts share. Without it this is the only host. */
  readonly storeAddresses?: readonly StoreAddress[]
  /** The one by which the engine calls. */
  readonly driverName?: string
  /** Ports that other programs have. */
  readonly takenPorts?: readonly string[]
}

/** Starts the plugin's drivers on an untouched host, or on what another start has left. */
export async function startRomana(wish: StartWish = {}): Promise<Romana> {
  const {
    kernel = makeFakeKernel(),
    directory = openMemoryStore(),
    journal = openMemoryStore(),
    plan = '10.0.0.0/8 8/4/4/8',
    plan6,
    nowMs = () => 0,
    sockets = makeFakeSockets(),
  } = wish
  for (const port of wish.takenPorts ?? []) sockets.take(port)
  const carriedOut: string[] = []
  const plans =
    plan6 === undefined ? { ipv4: parsePlan(plan) } : { ipv4: parsePlan(plan), ipv6: parsePlan(plan6) }
  const host = v.parse(HostNumberSchema, 1)
  const network = await NetworkDriver.open({
    stores: { directory, journal, host },
    host: wish.host ?? kernel.host,
    plans,
    uplinks: undefined,
    masquerade: true,
    isHostOpen: false,
    iptables: 'nft',
    segmentMatch: () => Promise.resolve(wish.segmentMatch ?? 'bpf'),
    keepForwardClosed: makeKeepForwardClosed(),
    storeAddresses: () => wish.storeAddresses,
    ports: { sockets, anyPorts: { first: 49_153, last: 49_160 }, onLost: () => undefined },
    onPlan: (text) => carriedOut.push(text),
    onState: () => undefined,
    onRulesWritten: () => undefined,
  })
  const ipam = makeIpamDriver({
    directory,
    journal,
    plans,
    host,
    mayCreate: true,
    nowMs,
    checkPlanIsFree: (family) => network.host.checkPlanIsFree(family),
  })
  // With the directory away it goes on in the background, until that is back.
  expect(await ipam.recover().catch(() => [])).toEqual([])
  const drivers = { ipam, network }
  const call = callDrivers(drivers, wish.driverName)
  const { recovered } = network
  const engine = new DockerEngine(call, kernel)
  return {
    kernel,
    directory,
    journal,
    plan,
    plan6,
    nowMs,
    drivers,
    recovered,
    call,
    engine,
    sockets,
    plans: carriedOut,
  }
}

/** What the mirror does behind the calls: the directory has this host's networks and endpoints. */
export function mirrorHost({ journal, directory }: Pick<Remains, 'journal' | 'directory'>): Promise<void> {
  const host = v.parse(HostNumberSchema, 1)
  return mirrorAll({ journal, directory, host, containerOf: () => undefined })
}

/** Bodies go through JSON, as on the wire. */
export function callDrivers(drivers: Drivers, driverName = 'romana'): CallPlugin {
  return async (name, body) => {
    const method = METHODS[name]
    if (method === undefined) throw new Error(`There is no method ${name}`)
    if (method.kind === 'constant') return method.answer
    return method.call(drivers, JSON.parse(JSON.stringify(body)), driverName)
  }
}

/** The objects of the kernel that belong to endpoints, one a line. */
export function showEndpoints({ kernel }: Remains): string {
  return linesOf(kernel)
    .filter((line) => /\brm[nep][ei]?\d/.test(line))
    .join('\n')
}

function linesOf(kernel: FakeKernel): string[] {
  return kernel.show().split('\n')
}

/** What containers leave behind when they are not cleaned up: "10.1.17.2 endpoint e1; /endpoints/e1". */
export async function takenIn({ journal }: Remains): Promise<string> {
  const all = [await takenAddresses(journal), await keysOf(journal, '/endpoints/')]
  return all.filter((text) => text !== '').join('; ')
}

/** The text of one record with its fields in order, "" when there is none. */
export async function recordOf(store: Store, key: string): Promise<string> {
  const entry = await store.get(key)
  if (entry === undefined) return ''
  const fields = Object.entries(JSON.parse(entry.value)).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(Object.fromEntries(fields))
}

/** All records of the journal: keys and texts. */
export async function recordsIn({ journal }: Pick<Remains, 'journal'>): Promise<string> {
  const { entries } = await journal.list('/')
  const lines = entries.map(async ({ key }) => `${key} ${await recordOf(journal, key)}`)
  return (await Promise.all(lines)).join('\n')
}
