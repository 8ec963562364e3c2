/**
 * The settings of the plugin: read once, checked all together, defaults in code (an upgrade adds no new entries to an
 * installed plugin). The only file of the plugin that reads the environment.
 */
import { type AddressPlan, parsePlan } from '../address/address-plan.ts'
import { Ip } from '../address/ip.ts'
import { RomanaError, reasonOf } from '../errors.ts'
import { IPTABLES_VARIANTS } from '../host/iptables-variant.ts'
import type { ResolverFiles } from '../host/nameservers.ts'
import type { SegmentMatchSetting } from '../host/segment-match.ts'
import { SEGMENT_MATCHES } from '../host/segment-rules.ts'
import type { IptablesSetting } from '../network-driver/iptables-choice.ts'
import { type EtcdSettings, readEtcdSettings } from './etcd-settings.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where the mounts of config.json lie in the plugin. Outside a managed plugin the same names lie below another root. */
export interface Paths {
  /** Journal, directory. */
  readonly state: string
  /** The socket that config.json declares. */
  readonly socket: string
  /** The engine's plugin directory. */
  readonly plugins: string
  /** The socket of the admin API: on the host, in no directory in which the engine looks for plugins. */
  readonly adminSocket: string
  readonly sysNet: string
  readonly resolverFiles: ResolverFiles
  readonly machineId: string
  /** Readable for root where the firmware has one. */
  readonly productUuid: string
  readonly xtablesLock: string
}

export interface Config {
  /** Absent: the recorded plan, or the default where none is recorded. */
  readonly plan: AddressPlan | undefined
  readonly plan6: AddressPlan | undefined
  /** Whether to answer to the plain driver name too. */
  readonly plainName: boolean
  /** Whether a network may make the tenant and the segment that it names. */
  readonly createSegments: boolean
  /** Absent: the links of the default routes. */
  readonly uplinks: readonly string[] | undefined
  /** Whether what leaves the plan gets the address of this host. The same on all hosts. */
  readonly masquerade: boolean
  /** Whether endpoints reach what listens on their own host, not only its DNS and its echo. */
  readonly isHostOpen: boolean
  readonly iptables: IptablesSetting
  readonly segmentMatch: SegmentMatchSetting
  /** Where the store of several hosts is; absent on a single host. */
  readonly etcd: EtcdSettings | undefined
  /** The address at which other hosts reach this one; absent: that of the default route. */
  readonly underlayAddress: Ip | undefined
  /** Where the plugin reaches the engine's socket. Absent: it never asks the engine. */
  readonly engineSocket: string | undefined
  readonly logLevel: LogLevel
  readonly paths: Paths
}

export const PATHS: Paths = {
  state: '/host/var/lib/romana',
  socket: '/run/docker/plugins/romana.sock',
  plugins: '/host/plugins',
  adminSocket: '/host/run/romana/admin.sock',
  sysNet: '/host/proc/sys/net',
  resolverFiles: { etc: '/host/etc', run: '/host/run', mounted: '/etc/resolv.conf' },
  machineId: '/host/etc/machine-id',
  productUuid: '/sys/class/dmi/id/product_uuid',
  xtablesLock: '/host/run/xtables.lock',
}

type Environment = Readonly<Record<string, string | undefined>>

/** One reader a setting: gives the value, or throws an error that says what is wrong with it. */
function readSettings(environment: Environment, problems: string[]): Omit<Config, 'paths'> {
  const textOf = (name: string) => environment[name]?.trim() || undefined
  const read = <T>(name: string, fallback: T, parse: (text: string) => T): T => {
    const text = textOf(name)
    if (text === undefined) return fallback
    try {
      return parse(text)
    } catch (error) {
      problems.push(`${name}: ${reasonOf(error)}`)
      return fallback
    }
  }
  return {
    plan: read<AddressPlan | undefined>('ROMANA_PLAN', undefined, (text) => parsePlanOf(4, text)),
    plan6: read<AddressPlan | undefined>('ROMANA_PLAN6', undefined, (text) => parsePlanOf(6, text)),
    plainName: read('ROMANA_PLAIN_NAME', true, parseSwitch),
    createSegments: read('ROMANA_CREATE_SEGMENTS', true, parseSwitch),
    uplinks: read<readonly string[] | undefined>('ROMANA_UPLINKS', undefined, parseLinks),
    masquerade: read('ROMANA_MASQUERADE', true, parseSwitch),
    isHostOpen: read('ROMANA_HOST_ACCESS', false, (text) => oneOf(['closed', 'open'], text) === 'open'),
    iptables: read<IptablesSetting>('ROMANA_IPTABLES', 'auto', (text) =>
      oneOf(['auto', ...IPTABLES_VARIANTS], text),
    ),
    segmentMatch: read<SegmentMatchSetting>('ROMANA_SEGMENT_MATCH', 'auto', (text) =>
      oneOf(['auto', ...SEGMENT_MATCHES], text),
    ),
    etcd: readEtcdSettings(textOf, problems),
    underlayAddress: read<Ip | undefined>('ROMANA_UNDERLAY_ADDRESS', undefined, parseAddress4),
    engineSocket: read<string | undefined>('ROMANA_ENGINE_SOCKET', undefined, parseEngineSocket),
    logLevel: read<LogLevel>('ROMANA_LOG_LEVEL', 'info', (text) => oneOf(LOG_LEVELS, text)),
  }
}

/** @throws RomanaError E_CONFIG that lists every problem. */
export function readConfig(environment: Environment = process.env): Config {
  const problems: string[] = []
  const settings = readSettings(environment, problems)
  if (problems.length === 0) return { ...settings, paths: PATHS }
  throw new RomanaError('E_CONFIG', {
    cannot: 'use the settings of the plugin',
    because: problems.join('; '),
    remedy: 'Disable the plugin, correct them with docker plugin set, and enable it',
  })
}

function parsePlanOf(family: 4 | 6, text: string): AddressPlan {
  const plan = parsePlan(text)
  if (plan.cidr.family !== family) throw new Error(`it is not an IPv${family} plan`)
  return plan
}

function parseAddress4(text: string): Ip {
  const address = Ip.parse(text)
  if (address.family !== 4) throw new Error('it is not an IPv4 address')
  return address
}

function oneOf<T extends string>(values: readonly T[], text: string): T {
  const value = values.find((candidate) => candidate === text)
  if (value === undefined) throw new Error(`"${text}" is none of ${values.join(', ')}`)
  return value
}

function parseSwitch(text: string): boolean {
  return oneOf(['on', 'off'], text) === 'on'
}

/** Names of links go into firewall rules: nothing that a rule could take for something else. */
function parseLinks(text: string): string[] {
  const links = text.split(',').map((name) => name.trim())
  const bad = links.find((name) => !/^[a-zA-Z0-9_][a-zA-Z0-9_.@-]{0,14}$/.test(name))
  if (bad !== undefined) throw new Error(`"${bad}" is not the name of a link`)
  return links
}

/** A path of the host; the plugin has /run of the host below /host. */
function parseEngineSocket(text: string): string {
  const path = text.replace(/^\/var\/run\//, '/run/')
  if (!/^\/run\/[\w./-]+$/.test(path) || path.includes('..'))
    throw new Error(`"${text}" is no path below /run, as in /run/docker.sock`)
  return `/host${path}`
}
