/** The one observer and the one applier: this Linux host behind an interface. Nothing is decided here. */
import { readFile, writeFile } from 'node:fs/promises'
import { RomanaError, reasonOf } from '../errors.ts'
import type { ObservedHost, SeenTable } from './host-state.ts'
import type { IpBatch } from './ip-batch.ts'
import { type IptablesProgram, programName } from './iptables-variant.ts'
import { ROUTE_PROTOCOL } from './marks.ts'
import {
  parseAddresses,
  parseLinks,
  parseMainRoutes,
  parseNameservers,
  parseOwnPolicyRules,
  parseOwnRoutes,
} from './parse-ip.ts'
import { parseIptablesSave } from './parse-iptables.ts'
import { type EndpointWiring, planEndpoint, planEndpointRemoval } from './plan-endpoint.ts'
import type { RestoreText } from './plan-firewall.ts'
import type { HostPlan } from './plan-host.ts'
import type { RunCommand } from './processes.ts'

/** The kernel of this host. */
export interface Host {
  /** Reads all that a plan is made from. @throws RomanaError E_COMMAND, E_HOST */
  observe(): Promise<ObservedHost>
  /** Carries a plan out, rules first. @throws RomanaError E_COMMAND, E_HOST */
  apply(plan: HostPlan): Promise<void>
  /** Makes one endpoint's links and route, or nothing. @throws RomanaError E_COMMAND */
  addEndpoint(wiring: EndpointWiring): Promise<void>
  /** Removes an endpoint's links and route; well when they are gone already. @throws RomanaError E_COMMAND */
  removeEndpoint(hostLink: string): Promise<void>
  /** Ends what runs beside the plugin. The kernel's state stays. */
  close(): void
}

export interface LinuxHostParts {
  readonly run: RunCommand
  /** For making endpoints. */
  readonly fastBatch: IpBatch
  /** For removing links, which waits 20 ms each for the kernel and must not hold up the making of others. */
  readonly slowBatch: IpBatch
  /** Those that work on this kernel. */
  readonly iptables: readonly IptablesProgram[]
  /** Where the host's /proc/sys/net is to be written. */
  readonly sysNetPath: string
}

const RESOLV_CONF = '/etc/resolv.conf'
/** A firewall that somebody holds locked is waited for this long. */
const LOCK_WAIT_SECONDS = '5'

export function openLinuxHost(parts: LinuxHostParts): Host {
  return {
    observe: () => observe(parts),
    apply: (plan) => apply(parts, plan),
    addEndpoint: (wiring) => addEndpoint(parts, wiring),
    removeEndpoint: (hostLink) => removeLink(parts.slowBatch, hostLink),
    close() {
      parts.fastBatch.close()
      parts.slowBatch.close()
    },
  }
}

/** Side by side: the kernel gives no picture of one moment anyway. */
async function observe(parts: LinuxHostParts): Promise<ObservedHost> {
  const ip = (...args: string[]) => parts.run({ file: 'ip', args: ['-json', ...args] })
  const own = ['route', 'show', 'table', 'all', 'protocol', String(ROUTE_PROTOCOL)]
  const main = ['route', 'show', 'table', 'main']
  const [
    links,
    addressText,
    rules4,
    rules6,
    own4,
    own6,
    main4Text,
    main6Text,
    firewall,
    forwarding,
    servers,
  ] = await Promise.all([
    ip('link', 'show'),
    ip('address', 'show'),
    ip('-4', 'rule', 'show'),
    ip('-6', 'rule', 'show'),
    ip('-4', ...own),
    ip('-6', ...own),
    ip('-4', ...main),
    ip('-6', ...main),
    Promise.all(parts.iptables.map((program) => savedTables(parts, program))),
    readText(forwardingPath(parts)),
    readText(RESOLV_CONF),
  ])
  const addresses = parseAddresses(addressText)
  const main4 = parseMainRoutes(main4Text, 4)
  const main6 = parseMainRoutes(main6Text, 6)
  return {
    links: parseLinks(links),
    linkAddresses: addresses.own,
    ownPolicyRules: [...parseOwnPolicyRules(rules4), ...parseOwnPolicyRules(rules6)],
    ownRoutes: [...parseOwnRoutes(own4, 4), ...parseOwnRoutes(own6, 6)],
    firewall: firewall.flat(),
    forwarding: forwarding.trim() === '1',
    defaultLinks: [...new Set([...main4.defaultLinks, ...main6.defaultLinks])],
    foreignNetworks: [...addresses.foreign, ...main4.foreign, ...main6.foreign, ...parseNameservers(servers)],
  }
}

async function savedTables({ run }: LinuxHostParts, program: IptablesProgram): Promise<SeenTable[]> {
  return parseIptablesSave(await run({ file: `${programName(program)}-save`, args: [] }), program)
}

async function apply(parts: LinuxHostParts, plan: HostPlan): Promise<void> {
  for (const text of plan.restore) await restore(parts, text)
  if (plan.ip.length > 0) {
    await parts.run({ file: 'ip', args: ['-batch', '-'], input: `${plan.ip.join('\n')}\n` })
  }
  if (plan.switchForwardingOn) await writeText(forwardingPath(parts), '1\n')
}

async function restore({ run }: LinuxHostParts, { program, text }: RestoreText): Promise<void> {
  const file = `${programName(program)}-restore`
  await run({ file, args: ['--noflush', '--wait', LOCK_WAIT_SECONDS], input: text })
}

/**
 * The pair is made in a request of its own: `ip -force` goes on behind a failed line, and would mark and wire a link
 * that was there before and is another endpoint's.
 */
async function addEndpoint({ fastBatch, slowBatch }: LinuxHostParts, wiring: EndpointWiring): Promise<void> {
  const [makeLinks, ...rest] = planEndpoint(wiring)
  if (makeLinks === undefined) return
  await fastBatch.run([makeLinks])
  try {
    await fastBatch.run(rest)
  } catch (cause) {
    await removeLink(slowBatch, wiring.links.hostLink).catch(() => undefined)
    throw cause
  }
}

async function removeLink(batch: IpBatch, hostLink: string): Promise<void> {
  try {
    await batch.run(planEndpointRemoval(hostLink))
  } catch (cause) {
    if (!reasonOf(cause).includes('Cannot find device')) throw cause
  }
}

function forwardingPath({ sysNetPath }: LinuxHostParts): string {
  return `${sysNetPath}/ipv4/ip_forward`
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw hostError(`read ${path}`, cause)
  }
}

async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw hostError(`write ${path}`, cause)
  }
}

function hostError(cannot: string, cause: unknown): RomanaError {
  return new RomanaError('E_HOST', { cannot, because: reasonOf(cause), cause })
}
