/** The hosts of a truth table on one layer 2, each with the plugin and containers, and how one more comes. */
import type { Lab, LabHostOptions } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { startRomanaCluster } from '../support/romana-cluster.ts'
import { startRomanaHost } from '../support/romana-host.ts'
import { engineArgsOf, startTruthMembers } from './truth-members.ts'

/** Of the IPv6 plan that those outside know: host N has its /64 N. */
export const SITE_PREFIX6 = 'fd3a:1c55:9e02'
const PLAN6 = { ROMANA_PLAN6: `${SITE_PREFIX6}::/48 16/16/16/32` }

export const UNDERLAY = 'layer2'

/** A lab whose hosts run the plugin. */
export interface TruthLab extends AsyncDisposable {
  readonly lab: Lab
  /** Of the lab. */
  readonly name: string
  /** Of now, in the order of their numbers. */
  readonly hosts: readonly LabHost[]
  /** One more host comes, with containers as the others have them. @throws Error where a host was started alone */
  join(): Promise<void>
}

/** @param settings Of every plugin. @throws Error or ExecaError */
export async function startTruthLab(
  count: number,
  settings: Readonly<Record<string, string>>,
): Promise<TruthLab> {
  const truthLab = await startHosts(count, { ...PLAN6, ...settings })
  try {
    await Promise.all(truthLab.hosts.map((host, index) => startTruthMembers(host, index + 1)))
    return truthLab
  } catch (error) {
    await truthLab[Symbol.asyncDispose]()
    throw error
  }
}

function startHosts(count: number, settings: Readonly<Record<string, string>>): Promise<TruthLab> {
  const name = `truth${count}`
  return count === 1 ? startAlone(name, settings) : startTogether(name, count, settings)
}

async function startAlone(name: string, settings: Readonly<Record<string, string>>): Promise<TruthLab> {
  const { lab, host } = await startRomanaHost({ lab: name, ...hostOptions(1) }, settings)
  const join = () => Promise.reject(new Error(`Cannot join lab ${name}: its host has a store of its own`))
  return { lab, name, hosts: [host], join, [Symbol.asyncDispose]: lab.stop }
}

async function startTogether(
  name: string,
  count: number,
  settings: Readonly<Record<string, string>>,
): Promise<TruthLab> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const options = { lab: name, underlay: UNDERLAY, hosts: numbers.map(hostOptions), settings } as const
  const cluster = await startRomanaCluster(options)
  const { lab, hosts } = cluster
  async function join(): Promise<void> {
    const number = hosts.length + 1
    const host = await lab.addHost({ name: `h${number}`, ...hostOptions(number) })
    await cluster.join(host)
    await startTruthMembers(host, number)
  }
  return { lab, name, hosts, join, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() }
}

function hostOptions(number: number): Omit<LabHostOptions, 'name'> {
  return { release: 'sid', engineArgs: engineArgsOf(number) }
}
