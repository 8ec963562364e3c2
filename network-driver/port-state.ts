/** Records of published ports to the rules that they ask for. Pure. */
import type { Plans } from '../address/address-plan.ts'
import type { Family } from '../address/ip.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { segmentMatch } from '../host/policy-matches.ts'
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
      return published.map((port): PortRule => {
        const address = addressFor(port.hostAddress.family, endpoint)
        return { ...port, address, otherSegments: segmentsBeside(plans, endpoint, endpoints, address.family) }
      })
    })
}

/** Those of the container's other endpoints. It has routes to them, here and on other hosts. */
function segmentsBeside(
  plans: Plans,
  endpoint: EndpointRecord,
  all: readonly EndpointRecord[],
  family: Family,
): string[] {
  const plan = planOf(plans, family)
  if (endpoint.sandbox === undefined || plan === undefined) return []
  return all
    .filter(
      ({ joined, sandbox, endpointId }) =>
        joined && sandbox === endpoint.sandbox && endpointId !== endpoint.endpointId,
    )
    .flatMap(addressesOf)
    .filter((address) => address.family === family)
    .map((address) => segmentMatch(plan, address))
}
