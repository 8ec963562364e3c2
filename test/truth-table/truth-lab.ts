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

export interface TruthLabWish {
  readonly count: number
  readonly iptables: 'nft' | 'legacy'
  /** Of every plugin. */
  readonly settings: Readonly<Record<string, string>>
}

/** @throws Error or ExecaError */
export async function startTruthLab(wish: TruthLabWish): Promise<TruthLab> {
  const truthLab = await startHosts({ ...wish, settings: { ...PLAN6, ...wish.settings } })
  try {
    await Promise.all(truthLab.hosts.map((host, index) => startTruthMembers(host, index + 1)))
    return truthLab
  } catch (error) {
    await truthLab[Symbol.asyncDispose]()
    throw error
  }
}

function startHosts(wish: TruthLabWish): Promise<TruthLab> {
  return wish.count === 1 ? startAlone(wish) : startTogether(wish)
}

function nameOf({ count, iptables }: TruthLabWish): string {
  return `truth${count}${iptables.charAt(0)}`
}

async function startAlone(wish: TruthLabWish): Promise<TruthLab> {
  const name = nameOf(wish)
  const { lab, host } = await startRomanaHost({ lab: name, ...hostOptions(wish, 1) }, wish.settings)
  const join = () => Promise.reject(new Error(`Cannot join lab ${name}: its host has a store of its own`))
  return { lab, name, hosts: [host], join, [Symbol.asyncDispose]: lab.stop }
}

async function startTogether(wish: TruthLabWish): Promise<TruthLab> {
  const name = nameOf(wish)
  const options = Array.from({ length: wish.count }, (_, index) => hostOptions(wish, index + 1))
  const cluster = await startRomanaCluster({
    lab: name,
    underlay: UNDERLAY,
    hosts: options,
    settings: wish.settings,
  })
  const { lab, hosts } = cluster
  async function join(): Promise<void> {
    const number = hosts.length + 1
    const host = await lab.addHost({ name: `h${number}`, ...hostOptions(wish, number) })
    await cluster.join(host)
    await startTruthMembers(host, number)
  }
  return { lab, name, hosts, join, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() }
}

function hostOptions({ iptables }: TruthLabWish, number: number): Omit<LabHostOptions, 'name'> {
  return { release: 'sid', iptables, engineArgs: engineArgsOf(number) }
}
