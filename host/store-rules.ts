/**
 * What keeps endpoints from the store that the hosts share, and which flows lead there. A flow is known by where it was sent first:
 * on a host with a member in a container, Docker translates it before any rule of ours sees it. Pure.
 */
import { type Cidr, hostCidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import type { ObservedHost } from './host-state.ts'
import { type Flow, isTranslated } from './parse-conntrack.ts'
import { isLoopback } from './port-rules.ts'

/** Where a member of the store listens. */
export interface StoreAddress {
  /** Absent while nobody knows: its port is closed at this host all the same. */
  readonly address?: Ip
  readonly port: number
  /** Whether it is an address of this host: then the port may lead to the member at each of them. */
  readonly isHere?: boolean
}

/** Says which of them are on this host. */
export function withPlaces(
  stores: readonly StoreAddress[],
  { addresses }: Pick<ObservedHost, 'addresses'>,
): StoreAddress[] {
  const isOwn = (address: Ip) => isLoopback(address) || addresses.some((own) => own.address.equals(address))
  return stores.map((store) => ({
    ...store,
    isHere: store.address !== undefined && isOwn(store.address),
  }))
}

const SENT_FIRST_TO = '-p tcp -m conntrack'
/** Not what a member answers that is an endpoint itself. */
const BY_CALLER = '--ctdir ORIGINAL -j DROP'

/**
 * Before all else that is forwarded, also before what the kernel knows: a flow may have begun while rules were missing. A member's
 * address in the packet itself counts too: somebody may lead another port there, and some packets are of no flow.
 */
export function storeRules(plan: Cidr, stores: readonly StoreAddress[]): string[] {
  const ofFamily = stores.flatMap(({ address, port }) =>
    address?.family === plan.family ? [{ address, port }] : [],
  )
  const here = stores.filter(({ isHere }) => isHere)
  return distinct([
    ...ofFamily.flatMap(({ address, port }) => [
      `-d ${hostCidr(address)} -p tcp -m tcp --dport ${port} -j DROP`,
      `${SENT_FIRST_TO} --ctorigdst ${address} --ctorigdstport ${port} ${BY_CALLER}`,
    ]),
    ...here.map(({ port }) => `${SENT_FIRST_TO} --ctstate DNAT --ctorigdstport ${port} ${BY_CALLER}`),
  ]).map((rule) => `-s ${plan} ${rule}`)
}

/** Before all else that comes to this host, at whichever of its addresses, also those of the gateways. */
export function hostStoreRules(stores: readonly StoreAddress[]): string[] {
  return portsOf(stores).flatMap((port) => [
    `-p tcp -m tcp --dport ${port} -j DROP`,
    `${SENT_FIRST_TO} --ctorigdstport ${port} ${BY_CALLER}`,
  ])
}

/** Whether these rules drop what an address of the plan sends to begin the flow. @param isToHost whether the host itself answers. */
export function leadsToStore(stores: readonly StoreAddress[], flow: Flow, isToHost: boolean): boolean {
  if (flow.protocol !== 'tcp') return false
  if (isToHost) return stores.some(({ port }) => port === flow.port || port === flow.serverPort)
  return stores.some(
    ({ address, port, isHere }) =>
      (port === flow.serverPort && address?.equals(flow.server) === true) ||
      (port === flow.port && address?.equals(flow.destination) === true) ||
      (port === flow.port && isHere === true && isTranslated(flow)),
  )
}

function portsOf(stores: readonly StoreAddress[]): number[] {
  return [...new Set(stores.map(({ port }) => port))].sort((a, b) => a - b)
}

function distinct(rules: readonly string[]): string[] {
  return [...new Set(rules)]
}
