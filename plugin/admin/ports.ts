/** Published ports of this host, as people see them. */
import type { Ip } from '../../address/ip.ts'
import { addressFor } from '../../store/families.ts'
import { journalKeys } from '../../store/keys.ts'
import { EndpointPortsRecord, type PublishedPort } from '../../store/port-records.ts'
import { EndpointRecord, listRecords } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { answer, type Routing } from './routing.ts'

interface PortView extends PublishedPort {
  readonly endpointId: string
  readonly networkId: string
  /** The endpoint's. */
  readonly address: Ip
  /** Whether nobody else on this host can have the port. Not so when it was lost while the plugin was away. */
  readonly reserved: boolean
}

export function addPorts({ app, parts }: Routing): void {
  app.get('/v1/ports', async () => {
    const { journal, network } = await parts()
    return answer(200, await portViews(journal, (port) => network.isReserved(port)))
  })
}

/** By host port. */
async function portViews(journal: Store, isReserved: (port: PublishedPort) => boolean): Promise<PortView[]> {
  const endpoints = await listRecords(journal, EndpointRecord, journalKeys.endpoints())
  const byId = new Map<string, EndpointRecord>(endpoints.map((endpoint) => [endpoint.endpointId, endpoint]))
  const records = await listRecords(journal, EndpointPortsRecord, journalKeys.ports())
  return records
    .flatMap(({ endpointId, ports }) => {
      const endpoint = byId.get(endpointId)
      if (endpoint === undefined) return []
      const { networkId } = endpoint
      return ports.map((port) => ({
        endpointId,
        networkId,
        address: addressFor(port.hostAddress.family, endpoint),
        ...port,
        reserved: isReserved(port),
      }))
    })
    .sort((a, b) => a.hostPort - b.hostPort)
}
