/** Records of published ports to the rules that they ask for. Pure. */
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import { cellAround } from '../address/prefixes.ts'
import type { PortRule } from '../host/port-rules.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import type { EndpointRecord } from '../store/records.ts'

export interface PortState {
  readonly plans: Plans
  readonly endpoints: readonly EndpointRecord[]
  readonly ports: readonly EndpointPortsRecord[]
}

/** An endpoint publishes while a container has it, and never on an internal network. By address, so that the order is one. */
export function portRules({ plans: { ipv4 }, endpoints, ports }: PortState): PortRule[] {
  const portsOf = new Map<string, EndpointPortsRecord>(ports.map((record) => [record.endpointId, record]))
  return endpoints
    .filter(({ joined, internal, address }) => joined && !internal && address.family === 4)
    .sort((a, b) => (a.address.value < b.address.value ? -1 : 1))
    .flatMap((endpoint) => {
      const published = portsOf.get(endpoint.endpointId)?.ports ?? []
      if (published.length === 0) return []
      const otherCells = cellsBeside(ipv4, endpoint, endpoints)
      return published.map((port): PortRule => ({ ...port, address: endpoint.address, otherCells }))
    })
}

/** The cells of the container's other endpoints. */
function cellsBeside(plan: AddressPlan, endpoint: EndpointRecord, all: readonly EndpointRecord[]): Cidr[] {
  if (endpoint.sandbox === undefined) return []
  return all
    .filter(
      ({ joined, sandbox, endpointId, address }) =>
        joined && address.family === 4 && sandbox === endpoint.sandbox && endpointId !== endpoint.endpointId,
    )
    .map(({ address }) => cellAround(plan, address))
}
