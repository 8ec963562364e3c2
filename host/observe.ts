/** The one observer: what this host's tools print, side by side, since the kernel gives no picture of one moment anyway. */
import type { Family } from '../address/ip.ts'
import { readAdvertisedLinks, readForwarding, readForwarding6 } from './host-files.ts'
import type { HostSets, ObservedHost, SeenTable } from './host-state.ts'
import { type IptablesProgram, programName } from './iptables-variant.ts'
import { parseHostLink } from './link-names.ts'
import { readStraySysctls } from './link-sysctls.ts'
import { ROUTE_PROTOCOL } from './marks.ts'
import { observeNameservers, type ResolverFiles } from './nameservers.ts'
import {
  parseAddresses,
  parseLinks,
  parseMainRoutes,
  parseOwnPolicyRules,
  parseOwnRoutes,
} from './parse-ip.ts'
import { parseHostSet } from './parse-ipset.ts'
import { parseIptablesSave } from './parse-iptables.ts'
import type { RunCommand } from './processes.ts'

export interface ObserverParts {
  readonly run: RunCommand
  /** Those that work on this kernel. */
  readonly iptables: readonly IptablesProgram[]
  /** Where the host's /proc/sys/net is. */
  readonly sysNetPath: string
  readonly resolverFiles: ResolverFiles
}

/** Reads all that a plan is made from. @throws RomanaError E_COMMAND, E_HOST */
export async function observeHost(parts: ObserverParts): Promise<ObservedHost> {
  const { run, iptables, sysNetPath } = parts
  const [links, addresses, ipv4, ipv6, hostSets, firewall, forwarding, forwarding6, nameservers] =
    await Promise.all([
      showIp(run, 'link', 'show').then(parseLinks),
      showIp(run, 'address', 'show').then(parseAddresses),
      observeFamily(run, 4),
      observeFamily(run, 6),
      observeHostSets(run),
      Promise.all(iptables.map((program) => observeRules(run, program))),
      readForwarding(sysNetPath),
      readForwarding6(sysNetPath),
      observeNameservers(parts.resolverFiles),
    ])
  const hostLinks = links.map(({ name }) => name).filter((name) => parseHostLink(name) !== undefined)
  const defaultLinks = [...new Set([...ipv4.main.defaultLinks, ...ipv6.main.defaultLinks])]
  return {
    links,
    linkAddresses: addresses.own,
    ownPolicyRules: [...ipv4.policyRules, ...ipv6.policyRules],
    ownRoutes: [...ipv4.ownRoutes, ...ipv6.ownRoutes],
    ...hostSets,
    addresses: addresses.others,
    mainRoutes: [...ipv4.main.routes, ...ipv6.main.routes],
    firewall: firewall.flat(),
    forwarding,
    forwarding6,
    defaultLinks,
    advertisedLinks: forwarding6 === false ? await readAdvertisedLinks(sysNetPath, defaultLinks) : [],
    straySysctls: await readStraySysctls(sysNetPath, hostLinks),
    foreignNetworks: [...addresses.foreign, ...ipv4.main.foreign, ...ipv6.main.foreign, ...nameservers],
  }
}

/** Policy rules and routes of one family. */
async function observeFamily(run: RunCommand, family: Family) {
  const [policyRules, ownRoutes, main] = await Promise.all([
    showIp(run, `-${family}`, 'rule', 'show').then(parseOwnPolicyRules),
    showIp(run, `-${family}`, 'route', 'show', 'table', 'all', 'protocol', String(ROUTE_PROTOCOL)).then(
      (text) => parseOwnRoutes(text, family),
    ),
    showIp(run, `-${family}`, 'route', 'show', 'table', 'main').then((text) => parseMainRoutes(text, family)),
  ])
  return { policyRules, ownRoutes, main }
}

/** A kernel without sets has none of ours. @throws RomanaError never: what keeps a set from being made says so then. */
async function observeHostSets(run: RunCommand): Promise<HostSets> {
  const text = await run({ file: 'ipset', args: ['save'] }).catch(() => '')
  return { hostSet: parseHostSet(text, 4), hostSet6: parseHostSet(text, 6) }
}

/** All tables of one iptables. @throws RomanaError E_COMMAND */
export async function observeRules(run: RunCommand, program: IptablesProgram): Promise<SeenTable[]> {
  return parseIptablesSave(await run({ file: `${programName(program)}-save`, args: [] }), program)
}

function showIp(run: RunCommand, ...args: readonly string[]): Promise<string> {
  return run({ file: 'ip', args: ['-json', ...args] })
}
