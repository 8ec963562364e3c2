/** The sockets that keep published ports for us, behind an interface: what the driver asks of them. */
import { formatAddressPort, type Ip } from '../address/ip.ts'
import type { PublishedPort } from '../store/port-records.ts'

/** What is reserved: a port of this host. */
export type HostPort = Pick<PublishedPort, 'protocol' | 'hostAddress' | 'hostPort'>

/** Where what comes to it over loopback is passed on to. */
export interface PortTarget {
  readonly address: Ip
  readonly port: number
}

/** Ports are reserved as long as the plugin runs; the rules that translate them stay when it ends. */
export interface PortSockets {
  /**
   * Keeps a port from everybody else on this host.
   * @throws RomanaError E_PORT_TAKEN when somebody has it, E_PORT when it cannot be had
   */
  reserve(port: HostPort, target: PortTarget): Promise<void>
  /** Well when it was not reserved. Ends what is passed on. */
  release(port: HostPort): Promise<void>
  /** All that are reserved. */
  reserved(): readonly HostPort[]
}

/** "tcp 0.0.0.0:8080", "tcp [::]:8080" */
export function formatHostPort({ protocol, hostAddress, hostPort }: HostPort): string {
  return `${protocol} ${formatAddressPort(hostAddress, hostPort)}`
}
