/** The one observer and the one applier: this Linux host behind an interface. Nothing is decided here. */
import type { Cidr } from '../address/cidr.ts'
import { reasonOf } from '../errors.ts'
import type { FlowSelector } from './flow-selectors.ts'
import { forgetFlows, forgetUdpFlows, listFlows, type UdpPort } from './flows.ts'
import type { Sysctl } from './host-files.ts'
import type { ObservedHost } from './host-state.ts'
import type { IpBatch } from './ip-batch.ts'
import { linkSysctls } from './link-sysctls.ts'
import { type ObserverParts, observeHost } from './observe.ts'
import type { Flow } from './parse-conntrack.ts'
import { type EndpointWiring, planEndpoint, planEndpointRemoval } from './plan-endpoint.ts'
import type { HostPlan } from './plan-host.ts'
import { restoreRules } from './restore-rules.ts'

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
  /**
   * Forgets the flows to these UDP ports of this host, wherever they went: without it a client that never pauses goes on
   * reaching whoever had the port before. @throws RomanaError E_COMMAND
   */
  forgetUdpFlows(hostPorts: readonly UdpPort[]): Promise<void>
  /** Flows of this network that the kernel lets pass because it knows them. @throws RomanaError E_COMMAND */
  flows(network: Cidr): Promise<Flow[]>
  /** Makes the kernel judge those anew that one of these means. @throws RomanaError E_COMMAND */
  forgetFlows(selectors: readonly FlowSelector[]): Promise<void>
  /** Ends what runs beside the plugin. The kernel's state stays. */
  close(): void
}

export interface LinuxHostParts extends ObserverParts {
  /** For making endpoints. */
  readonly fastBatch: IpBatch
  /** For removing links, which waits 20 ms each for the kernel and must not hold up the making of others. */
  readonly slowBatch: IpBatch
  /** Well where there is no such sysctl. @throws RomanaError E_HOST */
  readonly setSysctl: (sysctl: Sysctl) => Promise<void>
}

export function openLinuxHost(parts: LinuxHostParts): Host {
  return {
    observe: () => observeHost(parts),
    apply: (plan) => apply(parts, plan),
    addEndpoint: (wiring) => addEndpoint(parts, wiring),
    removeEndpoint: (hostLink) => removeLink(parts.slowBatch, hostLink),
    forgetUdpFlows: (hostPorts) => forgetUdpFlows(parts.run, hostPorts),
    flows: (network) => listFlows(parts.run, network),
    forgetFlows: (selectors) => forgetFlows(parts.run, selectors),
    close() {
      parts.fastBatch.close()
      parts.slowBatch.close()
    },
  }
}

async function apply(parts: LinuxHostParts, plan: HostPlan): Promise<void> {
  await restoreSet(parts, plan.hostSet.before)
  for (const text of plan.restore) await restoreRules(parts.run, text)
  await runIp(parts, ['-batch', '-'], plan.ip)
  await runIp(parts, ['-6', '-batch', '-'], plan.ip6)
  // The kernel lets go of a rule a moment after it is deleted. A set that is left over hinders nobody, and the next look removes it.
  await restoreSet(parts, plan.hostSet.after).catch(() => undefined)
  for (const sysctl of plan.sysctls) await parts.setSysctl(sysctl)
}

async function runIp(
  { run }: LinuxHostParts,
  args: readonly string[],
  lines: readonly string[],
): Promise<void> {
  if (lines.length > 0) await run({ file: 'ip', args, input: `${lines.join('\n')}\n` })
}

async function restoreSet({ run }: LinuxHostParts, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run({ file: 'ipset', args: ['restore'], input: `${lines.join('\n')}\n` })
}

/**
 * The pair is made in a request of its own: `ip -force` goes on behind a failed line, and would mark and wire a link
 * that was there before and is another endpoint's. Its sysctls are set while it is down, by this process.
 */
async function addEndpoint(parts: LinuxHostParts, wiring: EndpointWiring): Promise<void> {
  const { fastBatch, slowBatch, setSysctl } = parts
  const { hostLink } = wiring.links
  const [makeLinks, ...rest] = planEndpoint(wiring)
  if (makeLinks === undefined) return
  await fastBatch.run([makeLinks])
  try {
    for (const sysctl of linkSysctls(hostLink)) await setSysctl(sysctl)
    await fastBatch.run(rest)
  } catch (cause) {
    await removeLink(slowBatch, hostLink).catch(() => undefined)
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
