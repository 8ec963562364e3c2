/** Several hosts of the lab with the plugin, and an etcd that they share, as the engine tests use them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { type CommandResult, run } from '../../lab/command.ts'
import { type EtcdCluster, startEtcdCluster } from '../../lab/etcd-cluster.ts'
import { type Lab, type LabHostOptions, startLab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import type { UnderlayKind } from '../../lab/underlay.ts'
import { PLUGIN, PLUGIN_DIRECTORY } from './romana-host.ts'

const COMMAND = 'dist/romana.js'
/** The first three, which must be of the release sid. */
const MEMBERS = 3

export interface RomanaCluster extends AsyncDisposable {
  readonly lab: Lab
  readonly etcd: EtcdCluster
  /** Those with the plugin, in the order in which they joined. */
  readonly hosts: readonly LabHost[]
  /** Gives a host the plugin, and waits until it has joined. */
  join(host: LabHost): Promise<void>
}

export interface ClusterOptions {
  /** The name of the lab. */
  readonly lab: string
  readonly underlay: UnderlayKind
  /** In the order of their numbers. */
  readonly hosts: readonly Omit<LabHostOptions, 'name'>[]
  /** Of every plugin, beside those of etcd. */
  readonly settings?: Readonly<Record<string, string>>
}

/** An etcd with certificates and users on the first three hosts, and the plugin on each. Behind a router, it knows their prefixes. */
export async function startRomanaCluster(options: ClusterOptions): Promise<RomanaCluster> {
  const { lab: name, underlay } = options
  const directory = mkdtempSync(join(tmpdir(), 'romana-ca-'))
  const hostOptions = options.hosts.map((host, index) => ({ ...host, name: `h${index + 1}` }))
  const lab = await startLab({ name, underlay, hosts: hostOptions })
  const stop = async () => {
    await lab.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const etcd = await startEtcdCluster(lab.hosts.slice(0, MEMBERS), directory)
    const joined: LabHost[] = []
    const join = async (host: LabHost) => {
      await etcd.equip(host)
      const settings = { ...etcd.settings, ...options.settings }
      await host.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY, settings })
      await statusOf(host)
      joined.push(host)
    }
    for (const host of lab.hosts) await join(host)
    if (underlay === 'layer3') await teachRouter(lab, lab.hosts[0])
    return { lab, etcd, hosts: joined, join, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The router gets what `romana routes export` prints. */
export async function teachRouter(lab: Lab, host: LabHost | undefined): Promise<void> {
  if (host === undefined) return
  const input = `${await typeRomana(host, 'routes export --format ip')}\n`
  await lab.router.run('ip', ['-batch', '-'], { input })
}

/** Runs the romana command on a host. */
export function romanaOn(host: LabHost, line: string): Promise<CommandResult> {
  const socket = host.rootPath('/run/romana/admin.sock')
  return run(COMMAND, [...line.split(' '), '--socket', socket], { reject: false })
}

/** What the romana command prints. @throws Error when it says no */
export async function typeRomana(host: LabHost, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await romanaOn(host, line)
  if (exitCode !== 0) throw new Error(`romana ${line} on ${host.name}: ${stderr || stdout}`)
  return stdout
}

/** By the romana command. @throws Error when it says no */
export async function applyPolicies(host: LabHost, document: object): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'romana-policy-'))
  try {
    const file = join(directory, 'policies.json')
    writeFileSync(file, JSON.stringify(document))
    await typeRomana(host, `policy apply ${file}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const Status = v.object({
  ready: v.boolean(),
  reason: v.optional(v.string()),
  host: v.optional(v.number()),
  cluster: v.optional(v.object({ isReached: v.boolean(), trouble: v.optional(v.string()) })),
})
type Status = v.InferOutput<typeof Status>

/** What the plugin says of itself. */
export async function statusOf(host: LabHost): Promise<Status> {
  return v.parse(Status, JSON.parse((await romanaOn(host, 'status --json')).stdout))
}
