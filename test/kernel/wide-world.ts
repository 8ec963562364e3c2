/**
 * Three hosts with two containers each, an outsider on the underlay, and a server outside:
 *
 *     web1 db1      web2 db2      web3 db3      (tenant 1, segments 1 and 2, on hosts 1, 2 and 3)
 *       host1 -------- host2 -------- host3
 *         \______ lan or router _____/ \------ outsider (on the lan only), outside 203.0.113.1
 */

import * as v from 'valibot'
import { hostPrefix } from '../../address/prefixes.ts'
import type { MainRoute } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { findUnderlay } from '../../host/underlay.ts'
import { desiredState } from '../../network-driver/desired-state.ts'
import type { PeerRecord } from '../../store/host-records.ts'
import { PeerRecord as PeerSchema } from '../../store/host-records.ts'
import { BOTH_PLANS, EMPTY_HOST, endpointOf, networkOf } from '../host/host-fixtures.ts'
import type { Netns, NetnsSet } from '../support/netns.ts'
import { type Member, startMember } from '../support/netns-member.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'
import { makeRouter, openLan } from './router.ts'
import { type Container, startContainer } from './small-world.ts'

export type WideUnderlay = 'layer2' | 'layer3'

export const HOST_NUMBERS = [1, 2, 3] as const

export interface WideWorld {
  /** By number. */
  host(number: number): KernelHost
  /** Lets a host know these others, and gives what it changed. */
  know(number: number, peers: readonly PeerRecord[]): Promise<string>
  /** Takes a host's networks away, which knows all others. Its containers stay where they are. */
  removeNetworks(number: number): Promise<string>
  /** All hosts as records. */
  readonly peers: readonly PeerRecord[]
  /** @throws Error when nobody has that name. */
  member(name: string): Member
  /** Between the hosts. */
  readonly router: Netns
}

/** It ends with the set. */
export async function makeWideWorld(
  set: NetnsSet,
  variant: IptablesVariant,
  underlay: WideUnderlay,
): Promise<WideWorld> {
  const router = await makeRouter(set)
  await router.ip(`address add ${OUTSIDE}/32 dev lo`)
  if (underlay === 'layer2') await openLan(router)
  const hosts = new Map<number, KernelHost>()
  for (const number of HOST_NUMBERS)
    hosts.set(number, await attachHost(set, { variant, router, number, underlay }))
  const peers = await Promise.all(HOST_NUMBERS.map((number) => peerOf(hostAt(number), number, underlay)))
  const containers = HOST_NUMBERS.flatMap(containersOf)
  const know = async (number: number, known: readonly PeerRecord[]) => {
    const kernel = hostAt(number)
    const { mainRoutes } = await kernel.host.observe()
    return await kernel.bringTo(wantedOn(number, known, mainRoutes))
  }
  for (const number of HOST_NUMBERS) await know(number, othersOf(number, peers))
  const members = await Promise.all([
    ...containers.map(({ number, container }) => startContainer(set, hostAt(number), container)),
    ...peers.map(({ number, address }) =>
      startMember(set, { name: `host${number}`, netns: hostAt(number).netns, address: String(address) }),
    ),
    startMember(set, { name: 'outside', netns: router, address: OUTSIDE }),
    ...(underlay === 'layer2' ? [attachOutsider(set, router)] : []),
  ])
  function hostAt(number: number): KernelHost {
    const host = hosts.get(number)
    if (host === undefined) throw new Error(`There is no host ${number}`)
    return host
  }
  return {
    host: hostAt,
    know,
    async removeNetworks(number) {
      const kernel = hostAt(number)
      const { mainRoutes } = await kernel.host.observe()
      const cluster = { peers: othersOf(number, peers), stores: [], mainRoutes }
      return await kernel.bringTo(
        desiredState({ ...EMPTY_HOST, plans: BOTH_PLANS, host: BigInt(number), cluster }),
      )
    },
    peers,
    router,
    member(name) {
      const member = members.find((candidate) => candidate.name === name)
      if (member === undefined) throw new Error(`There is no member "${name}"`)
      return member
    },
  }
}

const OUTSIDE = '203.0.113.1'

export function othersOf(number: number, peers: readonly PeerRecord[]): PeerRecord[] {
  return peers.filter((peer) => peer.number !== number)
}

export function addressOf(number: number, underlay: WideUnderlay): string {
  return underlay === 'layer2' ? `198.18.1.1${number}` : `198.18.${number}.11`
}

export function address6Of(number: number, underlay: WideUnderlay): string {
  return underlay === 'layer2' ? `2001:db8:1::1${number}` : `2001:db8:${number}::11`
}

function gatewayOf(number: number, underlay: WideUnderlay): string {
  return underlay === 'layer2' ? '198.18.1.1' : `198.18.${number}.1`
}

function wantedOn(number: number, peers: readonly PeerRecord[], mainRoutes: readonly MainRoute[]) {
  const containers = containersOf(number)
  return desiredState({
    ...EMPTY_HOST,
    plans: BOTH_PLANS,
    host: BigInt(number),
    networks: containers.map(({ container }) => container.network),
    endpoints: containers.map(({ container }) => container.endpoint),
    cluster: { peers, stores: [], mainRoutes },
  })
}

function containersOf(number: number): { readonly number: number; readonly container: Container }[] {
  return [
    { name: 'web', segment: 1 },
    { name: 'db', segment: 2 },
  ].map(({ name, segment }, index) => {
    const cell = `10.${number}.${16 + segment}`
    const cell6 = `fd3a:1c55:9e02:${number}:1:${segment}`
    const network = networkOf(name, `${cell}.0/24 ${cell6}::/96`)
    const endpoint = endpointOf(network, `${cell}.2 ${cell6}:0:2`, index + 1)
    return { number, container: { name: `${name}${number}`, network, endpoint } }
  })
}

async function attachHost(
  set: NetnsSet,
  at: {
    readonly variant: IptablesVariant
    readonly router: Netns
    readonly number: number
    readonly underlay: WideUnderlay
  },
): Promise<KernelHost> {
  const { variant, router, number, underlay } = at
  const kernel = await openKernelHost(set, variant, `host${number}`)
  await plugIn(kernel.netns, router, `to${number}`, underlay)
  const gateway = gatewayOf(number, underlay)
  await kernel.netns.ip(
    `address add ${addressOf(number, underlay)}/24 dev eth0`,
    `route add default via ${gateway}`,
  )
  const gateway6 = underlay === 'layer2' ? '2001:db8:1::1' : `2001:db8:${number}::1`
  await kernel.netns.ip(
    `address add ${address6Of(number, underlay)}/64 dev eth0 nodad`,
    `route add default via ${gateway6} dev eth0`,
  )
  if (underlay === 'layer3') {
    await router.ip(
      `address add ${gateway}/24 dev to${number}`,
      `address add ${gateway6}/64 dev to${number} nodad`,
      `route add ${hostPrefix(BOTH_PLANS.ipv4, BigInt(number))} via ${addressOf(number, underlay)}`,
      `route add ${hostPrefix(BOTH_PLANS.ipv6, BigInt(number))} via ${address6Of(number, underlay)}`,
    )
  }
  return kernel
}

async function plugIn(netns: Netns, router: Netns, port: string, underlay: WideUnderlay): Promise<void> {
  await router.ip(`link add ${port} type veth peer name eth0 netns ${netns.name}`)
  if (underlay === 'layer2') await router.ip(`link set ${port} master lan`)
  await router.ip(`link set ${port} up`)
  await netns.ip('link set eth0 up')
}

async function peerOf({ host }: KernelHost, number: number, underlay: WideUnderlay): Promise<PeerRecord> {
  const { address6, globalAddress6, linkAddress } = findUnderlay(await host.observe(), undefined)
  return v.parse(PeerSchema, {
    number,
    address: addressOf(number, underlay),
    address6: address6 && String(address6),
    globalAddress6: globalAddress6 && String(globalAddress6),
    linkAddress,
  })
}

/** It is no host, and knows the way to plan addresses. */
async function attachOutsider(set: NetnsSet, router: Netns): Promise<Member> {
  const netns = await set.make('outsider')
  await plugIn(netns, router, 'to9', 'layer2')
  await netns.ip(
    'address add 198.18.1.99/24 dev eth0',
    'address add 10.2.17.2/32 dev lo',
    'route add 10.1.0.0/16 via 198.18.1.11',
    'route add 10.3.0.0/16 via 198.18.1.13',
  )
  return await startMember(set, { name: 'outsider', netns, address: '198.18.1.99' })
}
