/** Records to the wanted state of this host. Pure. */
import type { Plans } from '../address/address-plan.ts'
import { hostCidr } from '../address/cidr.ts'
import { hostPrefix } from '../address/prefixes.ts'
import { firewall } from '../host/firewall.ts'
import type { HostState, Route } from '../host/host-state.ts'
import type { IptablesVariant } from '../host/iptables-variant.ts'
import { type LinkNames, linkNames } from '../host/link-names.ts'
import type { NetworkId } from '../store/ids.ts'
import type { EndpointRecord, NetworkRecord } from '../store/records.ts'

/** All that the state of a host follows from. */
export interface HostRecords {
  readonly plans: Plans
  /** This host's number. */
  readonly host: bigint
  readonly networks: readonly NetworkRecord[]
  readonly endpoints: readonly EndpointRecord[]
  /** Links that lead outside. */
  readonly uplinks: readonly string[]
  /** Whether what leaves gets the address of this host. */
  readonly masquerade: boolean
  readonly iptables: IptablesVariant
}

const NOTHING: Omit<HostState, 'iptables'> = {
  policyRules: [],
  routes: [],
  linkAddresses: [],
  firewall: [],
  forwarding: false,
  links: [],
}

/** A host without a network carries nothing of ours: the last `docker network rm` leaves it as it was. */
export function desiredState(records: HostRecords): HostState {
  const { plans, networks, uplinks, masquerade, iptables } = records
  if (networks.length === 0 && records.endpoints.length === 0) return { ...NOTHING, iptables }
  const endpoints = joinedEndpoints(records)
  return {
    policyRules: [plans.ipv4.cidr],
    routes: [
      { kind: 'unreachable', destination: plans.ipv4.cidr },
      ...ownPrefixRoute(records),
      ...endpoints.map(
        ({ link, record }): Route => ({ kind: 'link', destination: hostCidr(record.address), link }),
      ),
    ],
    linkAddresses: endpoints.map(({ link, network }) => ({ link, address: network.gateway })),
    firewall: firewall(plans, { uplinks, masquerade }),
    iptables,
    forwarding: true,
    links: endpoints.map(({ link }) => link),
  }
}

/** A plan without host bits has one host, whose prefix is the plan. */
function ownPrefixRoute({ plans: { ipv4 }, host }: HostRecords): Route[] {
  const destination = hostPrefix(ipv4, host)
  return destination.equals(ipv4.cidr) ? [] : [{ kind: 'blackhole', destination }]
}

interface JoinedEndpoint {
  readonly link: string
  readonly record: EndpointRecord
  readonly network: NetworkRecord
}

function joinedEndpoints({ networks, endpoints }: HostRecords): JoinedEndpoint[] {
  const networkOf = new Map<NetworkId, NetworkRecord>(networks.map((network) => [network.networkId, network]))
  return endpoints.flatMap((record) => {
    const network = networkOf.get(record.networkId)
    if (!record.joined || network === undefined) return []
    return [{ link: linksOf(record).hostLink, record, network }]
  })
}

/** The names of an endpoint's two links. */
export function linksOf({ linkNumber, internal }: EndpointRecord): LinkNames {
  return linkNames(internal ? 'internal' : 'routed', linkNumber)
}
