/** Endpoints of this host and, as the directory has them, of all hosts. */
import * as v from 'valibot'
import type { Ip } from '../../address/ip.ts'
import { linksOf } from '../../network-driver/desired-state.ts'
import { HostEndpointRecord } from '../../store/host-records.ts'
import { directoryKeys, journalKeys } from '../../store/keys.ts'
import { EndpointRecord, listRecords, NetworkRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { answer, directoryOf, type Routing } from './routing.ts'

interface EndpointView {
  readonly endpointId: string
  readonly networkId: string
  readonly tenant: string
  readonly segment: string
  readonly address: Ip
  /** IPv6 beside IPv4. */
  readonly address6?: Ip | undefined
  /** The host's end of its pair of links. */
  readonly link: string
  /** Whether a container has it, between Join and Leave. */
  readonly joined: boolean
}

const EndpointsQuery = v.object({ hosts: v.optional(v.picklist(['this', 'all']), 'this') })

export function addEndpoints({ app, parts }: Routing): void {
  app.get('/v1/endpoints', async ({ req }) => {
    const { hosts } = v.parse(EndpointsQuery, req.query())
    const ready = await parts()
    return answer(200, await (hosts === 'all' ? copies(directoryOf(ready)) : endpointViews(ready.journal)))
  })
}

async function endpointViews(journal: Store): Promise<EndpointView[]> {
  const records = await listRecords(journal, NetworkRecord, journalKeys.networks())
  const networks = new Map(records.map((network) => [network.networkId, network]))
  const endpoints = await listRecords(journal, EndpointRecord, journalKeys.endpoints())
  return endpoints.flatMap((endpoint) => {
    const { endpointId, networkId, address, address6, joined } = endpoint
    const network = networks.get(networkId)
    if (network === undefined) return []
    const { tenant, segment } = network
    const link = linksOf(endpoint).hostLink
    return [{ endpointId, networkId, tenant, segment, address, address6, link, joined }]
  })
}

/** Some moments old. By host and address. */
async function copies(directory: Store): Promise<HostEndpointRecord[]> {
  const endpoints = await listRecords(directory, HostEndpointRecord, directoryKeys.allHostEndpoints())
  return endpoints.sort((a, b) => a.host - b.host || Number(a.address.value - b.address.value))
}
