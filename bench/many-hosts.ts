/**
 * A cluster of very many hosts, of which one is real: how long it takes from a change in the store to the routes of the kernel, what
 * that starts, and what the plugin then weighs. The others are records only.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EtcdCluster, startEtcdCluster } from '../lab/etcd-cluster.ts'
import type { LabHost } from '../lab/lab-host.ts'
import { waitUntil } from '../lab/wait-until.ts'
import { createRomanaNetwork, startOneHost } from './one-host.ts'
import { countSystemCalls, pluginProcesses, type SystemCalls } from './system-calls.ts'

/** 1,023 hosts. */
const PLAN = '10.0.0.0/8 10/3/3/8'
/** Records in one transaction of the store. */
const BATCH = 100
const PATIENCE_MS = 60_000
const ROUNDS = 10

/** What a change costs. */
export interface ManyHosts {
  readonly hosts: number
  /** Milliseconds from the first write to the last route, when all come at once. */
  readonly allMs: number
  /** Milliseconds from a write to the route, of each round: one host joins, or gets another address. */
  readonly joinMs: readonly number[]
  readonly moveMs: readonly number[]
  /** Of one host that joins. */
  readonly systemCalls: SystemCalls
  /** Of the plugin, in MiB: before the hosts, and with them. */
  readonly memoryMib: readonly [number, number]
}

export async function measureManyHosts(alias: string, hosts: number): Promise<ManyHosts> {
  const directory = mkdtempSync(join(tmpdir(), 'romana-bench-'))
  await using one = await startOneHost('manyhosts', { release: 'sid' })
  const { host } = one
  try {
    const etcd = await startEtcdCluster([host], directory)
    await etcd.equip(host)
    const settings = { ...etcd.settings, ROMANA_PLAN: PLAN }
    await host.installPlugin({ alias, directory: 'dist/plugin', settings })
    // The addresses of the others lie on its link.
    await host.runInside('ip', ['address', 'add', '198.19.0.1/16', 'dev', 'eth0'])
    await createRomanaNetwork(host, 'here')
    return await measure(host, etcd, hosts)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(host: LabHost, etcd: EtcdCluster, hosts: number): Promise<ManyHosts> {
  const before = await memoryOf(host)
  const numbers = Array.from({ length: hosts - 1 }, (_, index) => index + 2)
  const allMs = await timed(async () => {
    for (let from = 0; from < numbers.length; from += BATCH)
      await write(
        etcd,
        numbers.slice(from, from + BATCH).map((number) => record(number, 0)),
      )
    await waitForRoutes(host, (routes) => routes.length === numbers.length)
  })
  const extra = hosts + 1
  const joinMs: number[] = []
  const moveMs: number[] = []
  for (let round = 1; round <= ROUNDS; round += 1) {
    joinMs.push(await timed(() => appear(host, etcd, extra, 2 * round)))
    moveMs.push(await timed(() => appear(host, etcd, extra, 2 * round + 1)))
    await write(etcd, [{ ...record(extra, 0), removed: true }])
    await waitForRoutes(host, (routes) => routes.length === numbers.length)
  }
  const systemCalls = await countSystemCalls(host.netns, () => appear(host, etcd, extra, 99))
  return { hosts, allMs, joinMs, moveMs, systemCalls, memoryMib: [before, await memoryOf(host)] }
}

async function appear(host: LabHost, etcd: EtcdCluster, number: number, variation: number): Promise<void> {
  const one = record(number, variation)
  await write(etcd, [one])
  await waitForRoutes(host, (routes) =>
    routes.some((route) => route.includes(` via ${one.underlay.address} `)),
  )
}

interface Written {
  readonly number: number
  readonly underlay: { readonly address: string; readonly linkAddress: string }
  readonly removed: boolean
}

/** @param variation makes another address. */
function record(number: number, variation: number): Written & Readonly<Record<string, unknown>> {
  const address = `198.19.${100 + (variation % 100)}.${number % 250}`
  const usual = `198.19.${1 + Math.floor(number / 250)}.${1 + (number % 250)}`
  const linkAddress = `02:42:00:00:${hex(number >> 8)}:${hex(number & 0xff)}`
  return {
    number,
    machineId: `machine-${number}`,
    name: `host-${number}`,
    instanceId: `instance-${number}`,
    linkAddresses: [linkAddress],
    underlay: { address: variation === 0 ? usual : address, linkAddress },
    removed: false,
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function keyOf(number: number): string {
  return `/romana/hosts/${number}`
}

/** In one transaction. */
async function write(etcd: EtcdCluster, records: readonly Written[]): Promise<void> {
  const puts = records.map((each) => `put ${keyOf(each.number)} '${JSON.stringify(each)}'`)
  await etcd.ctl(['txn'], `\n${puts.join('\n')}\n\n\n`)
}

async function waitForRoutes(host: LabHost, isThere: (routes: readonly string[]) => boolean): Promise<void> {
  await waitUntil({ what: 'the routes', timeoutMs: PATIENCE_MS }, async () => {
    const { stdout } = await host.run('ip', ['-oneline', 'route', 'show', 'table', '8200'])
    return isThere(stdout.split('\n').filter((line) => line.includes(' via ')))
  })
}

async function memoryOf({ netns }: LabHost): Promise<number> {
  const [pid] = await pluginProcesses(netns)
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
