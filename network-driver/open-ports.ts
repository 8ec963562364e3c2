/** The driver's published ports: what they need of the rest, and how the engine would read them. */
import { plansOf } from '../address/ipv6-plan.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { planPortChains } from '../host/port-rules.ts'
import type { PublishedPort } from '../store/port-records.ts'
import type { ConvergeParts } from './converge.ts'
import { plansInUse } from './desired-state.ts'
import { chooseIptables } from './iptables-choice.ts'
import { PortChoice } from './port-choice.ts'
import type { PortSockets } from './port-sockets.ts'
import { portRules } from './port-state.ts'
import { type PortRange, PROTOCOL_NUMBERS } from './port-wishes.ts'
import { PublishedPorts } from './published-ports.ts'
import { listEndpoints, listNetworks, listPorts } from './records.ts'

export interface PortParts {
  readonly sockets: PortSockets
  /** Where ports come from that nobody named. */
  readonly anyPorts: PortRange
  /** Told when a recorded port cannot be reserved again. */
  readonly onLost: (error: unknown) => void
}

export interface NetworkDriverParts extends ConvergeParts {
  readonly ports: PortParts
  /** Told when rules were written, but for those of ports: {@link WholeHost.cutStrays} is due. */
  readonly onRulesWritten: () => void
}

/** @param seen the host as it was seen last. */
export function openPublishedPorts(parts: NetworkDriverParts, seen: () => ObservedHost): PublishedPorts {
  const { stores, ports } = parts
  return new PublishedPorts({
    stores,
    sockets: ports.sockets,
    choice: new PortChoice(ports.sockets, ports.anyPorts),
    writeRules: () => writePortRules(parts, seen()),
    forgetUdpFlows: (udpPorts) => parts.host.forgetUdpFlows(udpPorts),
    onLost: ports.onLost,
  })
}

/** One program a family, and only the chains of the ports. */
async function writePortRules(parts: NetworkDriverParts, seen: ObservedHost): Promise<void> {
  const { stores, host, plans } = parts
  const variant = await chooseIptables(stores.journal, parts.iptables, seen)
  const rules = portRules({ plans, endpoints: await listEndpoints(stores), ports: await listPorts(stores) })
  const families = plansOf(plansInUse({ plans, networks: await listNetworks(stores) }))
  await host.apply({
    hostSet: { before: [], after: [] },
    restore: families.map(({ cidr: { family } }) => planPortChains({ variant, family }, rules)),
    ip: [],
    ip6: [],
    sysctls: [],
  })
}

/** As the engine's own drivers have it (moby, daemon/libnetwork/types: PortBinding). */
export function portBinding({ protocol, hostAddress, hostPort, containerPort }: PublishedPort): object {
  return {
    Proto: PROTOCOL_NUMBERS[protocol],
    IP: '',
    Port: containerPort,
    HostIP: String(hostAddress),
    HostPort: hostPort,
    HostPortEnd: hostPort,
  }
}
