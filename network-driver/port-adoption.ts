/** Published ports that the kernel still translates and the journal does not know. Those of loopback have no rule, and are lost. Pure. */
import type { ObservedHost } from '../host/host-state.ts'
import { PORTS, readTranslation } from '../host/port-rules.ts'
import { addressesOf } from '../store/families.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import type { AdoptedEndpoint } from './adoption.ts'

/** @param adopted endpoints that the journal did not know. */
export function findPublishedPorts(
  { firewall }: Pick<ObservedHost, 'firewall'>,
  adopted: readonly AdoptedEndpoint[],
): EndpointPortsRecord[] {
  const rules = firewall
    .filter(({ table }) => table === 'nat')
    .flatMap(({ chains }) => chains.get(PORTS) ?? [])
  const translations = [...new Set(rules)].flatMap((rule) => readTranslation(rule) ?? [])
  return adopted.flatMap(({ endpoint }) => {
    const { endpointId } = endpoint
    const addresses = addressesOf(endpoint)
    const own = translations.filter((port) => addresses.some((address) => port.address.equals(address)))
    const ports = own.map(({ address: _own, ...port }) => port)
    return ports.length === 0 ? [] : [{ endpointId, ports }]
  })
}
