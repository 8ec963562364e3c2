/** On which addresses of this host a wish is fulfilled: those of the families that the endpoint has. Pure. */
import { type Family, Ip } from '../address/ip.ts'
import { isLoopback } from '../host/port-rules.ts'
import { addressesOf } from '../store/families.ts'
import type { PublishedPort } from '../store/port-records.ts'
import type { EndpointAddresses } from './endpoint-addresses.ts'
import { type PortWish, wishError } from './port-wishes.ts'

/** One port on each of these addresses, the same number on all of them. */
export interface PlacedWish extends Omit<PortWish, 'hostAddress'> {
  readonly hostAddresses: readonly Ip[]
}

/** What the places of an endpoint depend on. */
export interface PortFamilies {
  /** Of the endpoint's addresses. */
  readonly own: readonly Family[]
  /** Those for which another endpoint of the container is the way out. */
  readonly elsewhere: readonly Family[]
  /** Those that no other endpoint of the container publishes any more. */
  readonly taken: readonly Family[]
}

/**
 * The engine tells an endpoint of both families nothing when it is the way out over IPv6 alone, since the network that is first in
 * order has IPv4 only. So it leaves to an endpoint of one family what that publishes.
 * @param others endpoints of the container that publish something. @param told families that the engine says are elsewhere
 */
export function portFamilies(
  endpoint: EndpointAddresses,
  others: readonly EndpointAddresses[],
  told: readonly Family[],
): PortFamilies {
  const own = familiesOf(endpoint)
  const single = others.map(familiesOf).filter(({ length }) => length < own.length)
  const elsewhere = [...told, ...single.flat()]
  return { own, elsewhere, taken: own.filter((family) => !elsewhere.includes(family)) }
}

function familiesOf(endpoint: EndpointAddresses): Family[] {
  return addressesOf(endpoint).map(({ family }) => family)
}

type Places = Pick<PortFamilies, 'own' | 'elsewhere'>

const EVERYWHERE = [Ip.parse('0.0.0.0'), Ip.parse('::')] as const

/** Wishes that are another endpoint's alone are left out. @throws RomanaError E_PORT when a wish cannot be fulfilled at all. */
export function placeWishes(wishes: readonly PortWish[], families: Places): PlacedWish[] {
  return wishes.flatMap(({ hostAddress, ...wish }) => {
    const hostAddresses =
      hostAddress === undefined ? EVERYWHERE : [checkedAddress(hostAddress, wish, families)]
    const here = hostAddresses.filter((address) => isHere(address, families))
    return here.length === 0 ? [] : [{ ...wish, hostAddresses: here }]
  })
}

/** What is called on loopback is passed on by the plugin, to whatever address the container has. */
function isHere(address: Ip, { own, elsewhere }: Places): boolean {
  return (own.includes(address.family) || isLoopback(address)) && !elsewhere.includes(address.family)
}

function checkedAddress(
  address: Ip,
  { containerPort, protocol }: Omit<PortWish, 'hostAddress'>,
  families: Places,
): Ip {
  if (isHere(address, families) || families.elsewhere.includes(address.family)) return address
  throw wishError(
    `${containerPort}/${protocol}`,
    `${address} is an IPv${address.family} address, and the container has none on this network`,
  )
}

/** Whether these ports are what was asked for: then a call that comes again finds its work done. */
export function fulfil(ports: readonly PublishedPort[], wishes: readonly PlacedWish[]): boolean {
  const left = [...ports]
  const groups = wishes.map((wish) => ({ wish, group: left.splice(0, wish.hostAddresses.length) }))
  return left.length === 0 && groups.every(({ wish, group }) => fulfils(group, wish))
}

function fulfils(ports: readonly PublishedPort[], wish: PlacedWish): boolean {
  const { first, last } = wish.hostPorts ?? { first: 1, last: 65535 }
  const [hostPort] = ports.map((port) => port.hostPort)
  return (
    ports.length === wish.hostAddresses.length &&
    ports.every(
      (port, index) =>
        port.protocol === wish.protocol &&
        port.containerPort === wish.containerPort &&
        wish.hostAddresses[index]?.equals(port.hostAddress) === true &&
        port.hostPort === hostPort &&
        first <= port.hostPort &&
        port.hostPort <= last,
    )
  )
}
