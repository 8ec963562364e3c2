/** The words that the sentences about the IPAM driver are made of. */
import * as v from 'valibot'
import { parsePlan } from '../../address/address-plan.ts'
import { type IpamDriver, makeIpamDriver } from '../../ipam-driver/driver.ts'
import type { PoolAnswer } from '../../ipam-driver/pools.ts'
import { GATEWAY, REQUEST_ADDRESS_TYPE } from '../../ipam-driver/wire.ts'
import { HostNumberSchema } from '../../store/ids.ts'
import { journalKeys } from '../../store/keys.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { AddressRecord, listRecords } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'

/** What a person may type behind `docker network create`. */
export interface PoolOptions {
  readonly tenant?: string
  readonly segment?: string
  readonly subnet?: string
  readonly range?: string
  readonly ipv6?: boolean
}

export interface Ipam {
  readonly driver: IpamDriver
  readonly directory: Store
  readonly journal: Store
  pool(options?: PoolOptions): Promise<PoolAnswer>
  /** Any address, or this one: "10.1.17.2/32". */
  address(poolId: string, wanted?: string): Promise<string>
  gateway(poolId: string, wanted?: string): Promise<string>
  release(address: string): Promise<object>
  releasePool(poolId: string): Promise<object>
}

export interface IpamWish {
  readonly plan?: string
  /** Without one there are no IPv6 pools. */
  readonly plan6?: string | undefined
  readonly host?: bigint
  readonly directory?: Store
  readonly journal?: Store
  readonly checkPlanIsFree?: () => Promise<void>
  readonly mayCreate?: boolean
  /** A clock that stands still without it. */
  readonly nowMs?: () => number
}

/** A driver over empty stores, or over those of another driver. */
export function makeIpam(wish: IpamWish = {}): Ipam {
  const { plan = '10.0.0.0/8 8/4/4/8', host = 1n, checkPlanIsFree = async () => undefined } = wish
  const { nowMs = () => 0, mayCreate = true, plan6 } = wish
  const { directory = openMemoryStore(), journal = openMemoryStore() } = wish
  const driver = makeIpamDriver({
    directory,
    journal,
    plans: {
      ipv4: parsePlan(plan),
      ...(plan6 === undefined ? {} : { ipv6: parsePlan(plan6) }),
    },
    host: v.parse(HostNumberSchema, Number(host)),
    mayCreate,
    checkPlanIsFree,
    nowMs,
  })
  const address = async (PoolID: string, Address: string | undefined, Options: Record<string, string>) =>
    (await driver.requestAddress({ PoolID, Address, Options })).Address
  return {
    driver,
    directory,
    journal,
    pool: ({ subnet, range, ipv6 = false, ...Options } = {}) =>
      driver.requestPool({ AddressSpace: 'RomanaLocal', Pool: subnet, SubPool: range, Options, V6: ipv6 }),
    address: (poolId, wanted) => address(poolId, wanted, {}),
    gateway: (poolId, wanted) => address(poolId, wanted, { [REQUEST_ADDRESS_TYPE]: GATEWAY }),
    release: (Address) => driver.releaseAddress({ PoolID: 'any', Address }),
    releasePool: (PoolID) => driver.releasePool({ PoolID }),
  }
}

/** The keys of all records of something that came with a call: "/addresses/10.1.17.2 /pools/10.1.17.0/24". */
export async function keysOf(store: Store, prefix = '/'): Promise<string> {
  const { entries } = await store.list(prefix)
  const keys = entries.map(({ key }) => key)
  return keys.filter((key) => key !== journalKeys.takenOver()).join(' ')
}

/** The addresses that are somebody's, and whose: "10.1.17.2 reserved, 10.1.17.3 endpoint e1". A resting one is nobody's. */
export async function takenAddresses(journal: Store): Promise<string> {
  const records = await listRecords(journal, AddressRecord, '/addresses/')
  const taken = records.filter(({ state }) => state !== 'resting')
  return taken
    .map(({ address, state, endpointId }) => [address, state, endpointId].join(' ').trim())
    .join(', ')
}
