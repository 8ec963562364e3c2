/** Published ports that the kernel still translates and the journal does not know. Those of loopback have no rule, and are lost. Pure. */
import type { ObservedHost } from '../host/host-state.ts'
import { PORTS, readTranslation } from '../host/port-rules.ts'
import type { EndpointPortsRecord } from '../store/port-records.ts'
import type { AdoptedEndpoint } from './adoption.ts'

/** @param adopted endpoints that the journal did not know. */
export function findPublishedPorts(
  { firewall }: Pick<ObservedHost, 'firewall'>,
  adopted: readonly AdoptedEndpoint[],
): EndpointPortsRecord[] {
  const rules = firewall
    .filter(({ family, table }) => family === 4 && table === 'nat')
    .flatMap(({ chains }) => chains.get(PORTS) ?? [])
  const translations = [...new Set(rules)].flatMap((rule) => readTranslation(rule) ?? [])
  return adopted.flatMap(({ endpoint: { endpointId, address } }) => {
    const own = translations.filter((port) => port.address.equals(address))
    const ports = own.map(({ address: _own, ...port }) => port)
    return ports.length === 0 ? [] : [{ endpointId, ports }]
  })
}
