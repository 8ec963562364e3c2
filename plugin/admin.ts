/** What people ask of the running plugin: tenants and segments of the cluster, and what this host has. */
import { type AddressPlan, formatPlan, type Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { listMarks, markEverywhere, unmarkEverywhere, whenNobodyHolds } from '../cluster/everywhere-marks.ts'
import { acceptHost, type HostView, listHosts, removeHost } from '../cluster/hosts.ts'
import {
  type Applied,
  applyPolicies,
  checkPolicies,
  getPolicy,
  listPolicies,
  removePolicy,
} from '../cluster/policies.ts'
import { type PolicyView, policyView } from '../cluster/policy-view.ts'
import { type StaticRoute, staticRoutes } from '../cluster/static-routes.ts'
import { reasonOf } from '../errors.ts'
import type { IpamDriver } from '../ipam-driver/driver.ts'
import { cellOf } from '../ipam-driver/segment-hold.ts'
import { addSegment, getSegment, listSegments, removeSegment } from '../ipam-driver/segments.ts'
import { addTenant, listTenants, removeTenant } from '../ipam-driver/tenants.ts'
import { linksOf } from '../network-driver/desired-state.ts'
import type { NetworkDriver } from '../network-driver/driver.ts'
import { HostEndpointRecord, HostRecord } from '../store/host-records.ts'
import type { HostNumber, Name, NetworkName, PolicyName } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import {
  EndpointRecord,
  listRecords,
  NetworkRecord,
  SegmentHostRecord,
  type SegmentRecord,
  type TenantRecord,
} from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { ClusterStatus, ClusterTasks } from './cluster-tasks.ts'
import { listPortViews, type PortView } from './port-views.ts'

/** Milliseconds. The command waits 30 s for its answer. */
const EVERYWHERE_TIMEOUT_MS = 20_000

export interface AdminParts {
  readonly journal: Store
  readonly plans: Plans
  readonly ipam: IpamDriver
  readonly network: NetworkDriver
  /** Absent on a single host. */
  readonly cluster: Pick<ClusterTasks, 'status'> | undefined
}

export interface ReadyStatus {
  readonly ready: true
  /** This host's number. */
  readonly host: HostNumber
  readonly plan: string
  readonly plan6?: string
  /** Whether networks make the tenants and segments that they name. */
  readonly createSegments: boolean
  /** Absent on a single host. */
  readonly cluster?: ClusterStatus
  /** Absent, as are the segments, where the store of the cluster does not answer. */
  readonly tenants?: number
  readonly segments?: number
  /** Of this host, as are the endpoints. */
  readonly networks: number
  readonly endpoints: number
}

export interface TenantView extends TenantRecord {
  /** How many it has. */
  readonly segments: number
}

export interface SegmentView extends SegmentRecord {
  /** Its addresses on this host. */
  readonly cell: Cidr
  readonly cell6?: Cidr
  /** The hosts that have networks in it. */
  readonly hosts: readonly HostNumber[]
  /** The name of its network on every host, where it is marked so. */
  readonly everywhere?: string | undefined
}

export interface EndpointView {
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

/** One method for each request. Besides what they say, all throw RomanaError E_STORE and E_RECORD. */
export class Admin {
  readonly #parts: AdminParts
  readonly #directory: Store

  constructor(parts: AdminParts) {
    this.#parts = parts
    this.#directory = parts.ipam.segments.directory
  }

  async status(): Promise<ReadyStatus> {
    const { plans, ipam, journal } = this.#parts
    return {
      ready: true,
      host: ipam.segments.host,
      plan: formatPlan(plans.ipv4),
      ...(plans.ipv6 === undefined ? {} : { plan6: formatPlan(plans.ipv6) }),
      createSegments: ipam.segments.mayCreate,
      ...(await this.#shared()),
      networks: await countOf(journal, journalKeys.networks()),
      endpoints: await countOf(journal, journalKeys.endpoints()),
    }
  }

  /** What the directory says; where it is shared, also that it does not answer. */
  async #shared(): Promise<Pick<ReadyStatus, 'cluster' | 'tenants' | 'segments'>> {
    const cluster = this.#parts.cluster?.status()
    if (cluster?.isReached === false) return { cluster }
    try {
      const tenants = await countOf(this.#directory, directoryKeys.tenants())
      const segments = await countOf(this.#directory, directoryKeys.allSegments())
      return { ...(cluster && { cluster }), tenants, segments }
    } catch (error) {
      if (cluster === undefined) throw error
      return { cluster: { isReached: false, trouble: reasonOf(error) } }
    }
  }

  async tenants(): Promise<TenantView[]> {
    const segments = await listSegments(this.#directory)
    return (await listTenants(this.#directory)).map((tenant) => ({
      ...tenant,
      segments: segments.filter((segment) => segment.tenant === tenant.name).length,
    }))
  }

  /** @throws RomanaError as {@link addTenant} */
  async addTenant(name: Name): Promise<TenantView> {
    return { ...(await addTenant(this.#parts.ipam.segments, name)), segments: 0 }
  }

  /** @throws RomanaError as {@link removeTenant} */
  removeTenant(name: Name): Promise<void> {
    return removeTenant(this.#directory, name)
  }

  async segments(): Promise<SegmentView[]> {
    const holds = await listRecords(this.#directory, SegmentHostRecord, directoryKeys.allSegmentHosts())
    const marks = await listMarks(this.#directory)
    return (await listSegments(this.#directory)).map((segment) => ({
      ...segment,
      everywhere: marks.find((mark) => mark.tenant === segment.tenant && mark.segment === segment.name)
        ?.network,
      ...this.#cellsOf(segment),
      hosts: holds
        .filter((hold) => hold.tenant === segment.tenant && hold.segment === segment.name)
        .map(({ host }) => host)
        .sort((a, b) => a - b),
    }))
  }

  /** Makes the tenant too where there is none. @throws RomanaError as {@link addSegment} */
  async addSegment(tenant: Name, name: Name): Promise<SegmentView> {
    const { segments } = this.#parts.ipam
    const segment = await addSegment(segments, tenant, name)
    return { ...segment, ...this.#cellsOf(segment), hosts: [] }
  }

  /**
   * Makes the segment where there is none, and marks it: every host that may ask its engine makes a network of it.
   * @throws RomanaError as {@link addSegment} and {@link markEverywhere}
   */
  async addSegmentEverywhere(tenant: Name, name: Name, network: NetworkName): Promise<SegmentView> {
    const { segments } = this.#parts.ipam
    const found = await getSegment(this.#directory, tenant, name)
    const segment = found?.record ?? (await addSegment(segments, tenant, name))
    await markEverywhere(this.#directory, { tenant, segment: name, network })
    return { ...segment, ...this.#cellsOf(segment), hosts: [], everywhere: network }
  }

  /** A mark goes first, and the hosts get some time to follow. @throws RomanaError as {@link removeSegment} */
  async removeSegment(tenant: Name, name: Name): Promise<void> {
    if (await unmarkEverywhere(this.#directory, tenant, name))
      await whenNobodyHolds(this.#directory, tenant, name, EVERYWHERE_TIMEOUT_MS)
    await this.#parts.ipam.forgetUnusedPools()
    await removeSegment(this.#directory, tenant, name)
  }

  /** @throws RomanaError as {@link listHosts} */
  hosts(): Promise<HostView[]> {
    return listHosts(this.#directory)
  }

  /** It holds nothing any more: segments can be removed. @throws RomanaError as {@link removeHost} */
  async removeHost(number: HostNumber): Promise<HostRecord> {
    const removed = await removeHost(this.#directory, number)
    await this.#parts.ipam.leaveAllOf(number)
    return removed
  }

  /** @throws RomanaError as {@link acceptHost} */
  acceptHost(number: HostNumber): Promise<HostRecord> {
    return acceptHost(this.#directory, number)
  }

  #cellsOf(segment: SegmentRecord): Pick<SegmentView, 'cell' | 'cell6'> {
    const { plans, ipam } = this.#parts
    const cellIn = (plan: AddressPlan) => cellOf(plan, ipam.segments.host, segment)
    return { cell: cellIn(plans.ipv4), ...(plans.ipv6 && { cell6: cellIn(plans.ipv6) }) }
  }

  /** Those of this host. */
  networks(): Promise<NetworkRecord[]> {
    return listRecords(this.#parts.journal, NetworkRecord, journalKeys.networks())
  }

  /** Those of this host. */
  async endpoints(): Promise<EndpointView[]> {
    const networks = new Map((await this.networks()).map((network) => [network.networkId, network]))
    const endpoints = await listRecords(this.#parts.journal, EndpointRecord, journalKeys.endpoints())
    return endpoints.flatMap((endpoint) => {
      const { endpointId, networkId, address, address6, joined } = endpoint
      const network = networks.get(networkId)
      if (network === undefined) return []
      const { tenant, segment } = network
      const link = linksOf(endpoint).hostLink
      return [{ endpointId, networkId, tenant, segment, address, address6, link, joined }]
    })
  }

  /** Those of all hosts, as the directory has them: some moments old. By host and address. */
  async allEndpoints(): Promise<HostEndpointRecord[]> {
    const endpoints = await listRecords(this.#directory, HostEndpointRecord, directoryKeys.allHostEndpoints())
    return endpoints.sort((a, b) => a.host - b.host || Number(a.address.value - b.address.value))
  }

  /** What a router needs: routes to each host whose address on the underlay is known. */
  async routes(): Promise<StaticRoute[]> {
    const hosts = await listRecords(this.#directory, HostRecord, directoryKeys.hosts())
    return staticRoutes(this.#parts.plans, hosts)
  }

  /** Those of this host. */
  ports(): Promise<PortView[]> {
    const { journal, network } = this.#parts
    return listPortViews(journal, (port) => network.isReserved(port))
  }

  /** Those of the cluster. */
  async policies(): Promise<PolicyView[]> {
    return (await listPolicies(this.#directory)).map(policyView)
  }

  /** @throws RomanaError E_POLICY_UNKNOWN */
  async policy(name: PolicyName): Promise<PolicyView> {
    return policyView((await getPolicy(this.#directory, name)).record)
  }

  /** @param isCheck only says what would be done. @throws RomanaError as {@link applyPolicies} */
  applyPolicies(document: unknown, isCheck: boolean): Promise<Applied> {
    return isCheck ? checkPolicies(this.#directory, document) : applyPolicies(this.#directory, document)
  }

  /** @throws RomanaError E_POLICY_UNKNOWN */
  removePolicy(name: PolicyName): Promise<void> {
    return removePolicy(this.#directory, name)
  }

  /** What is to be changed on this host, as text; "" when nothing. @throws RomanaError as {@link NetworkDriver.preview} */
  async plan(): Promise<{ readonly plan: string }> {
    return { plan: await this.#parts.network.preview() }
  }
}

async function countOf(store: Store, prefix: string): Promise<number> {
  return (await store.list(prefix)).entries.length
}
