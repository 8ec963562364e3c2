/** Records of published ports to the rules that they ask for. Pure. */
import type { Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cellAround } from '../address/prefixes.ts'
import type { PortRule } from '../host/port-rules.ts'
import { addressesOf, addressFor } from '../store/families.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import type { EndpointRecord } from '../store/records.ts'

export interface PortState {
  readonly plans: Plans
  readonly endpoints: readonly EndpointRecord[]
  readonly ports: readonly EndpointPortsRecord[]
}

/** An endpoint publishes while a container has it, and never on an internal network. By address, so that the order is one. */
export function portRules({ plans, endpoints, ports }: PortState): PortRule[] {
  const portsOf = new Map<string, EndpointPortsRecord>(ports.map((record) => [record.endpointId, record]))
  return endpoints
    .filter(({ joined, internal }) => joined && !internal)
    .sort((a, b) => (a.address.value < b.address.value ? -1 : 1))
    .flatMap((endpoint) => {
      const published = portsOf.get(endpoint.endpointId)?.ports ?? []
      if (published.length === 0) return []
      const beside = cellsBeside(plans, endpoint, endpoints)
      return published.map((port): PortRule => {
        const address = addressFor(port.hostAddress.family, endpoint)
        return { ...port, address, otherCells: beside.filter(({ family }) => family === address.family) }
      })
    })
}

/** The cells of the container's other endpoints. */
function cellsBeside(plans: Plans, endpoint: EndpointRecord, all: readonly EndpointRecord[]): Cidr[] {
  if (endpoint.sandbox === undefined) return []
  return all
    .filter(
      ({ joined, sandbox, endpointId }) =>
        joined && sandbox === endpoint.sandbox && endpointId !== endpoint.endpointId,
    )
    .flatMap(addressesOf)
    .flatMap((address) => {
      const plan = planOf(plans, address.family)
      return plan === undefined ? [] : [cellAround(plan, address)]
    })
}
