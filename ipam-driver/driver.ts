/** IpamDriver.*: pools are cells of the address plan, addresses are endpoint numbers in them. */
import { hostCidr } from '../address/cidr.ts'
import { type Family, Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import type { RomanaError } from '../errors.ts'
import { poolsOf } from '../store/families.ts'
import type { HostNumber } from '../store/ids.ts'
import { journalKeys } from '../store/keys.ts'
import type { NetworkRecord } from '../store/records.ts'
import { makeRevisionAge } from '../store/revision-age.ts'
import { makeSerial } from '../store/serial.ts'
import type { Store } from '../store/store.ts'
import { type AddressParts, isKeptByNetwork, REST_MS, releaseAddress, takeAddress } from './addresses.ts'
import { NUMBER_REST_MS } from './field-numbers.ts'
import { makeTakeNextAddress } from './next-address.ts'
import { findOwnPool, type OwnPoolParts } from './own-pool.ts'
import type { PoolId } from './pool-id.ts'
import { recoverPools } from './pool-recovery.ts'
import { parsePoolWish } from './pool-wish.ts'
import {
  forgetUnusedPools,
  type PoolAnswer,
  type PoolParts,
  releaseCell,
  releasePool,
  takePool,
} from './pools.ts'
import { makeRestedSweep } from './rested.ts'
import type { SegmentParts } from './segment-hold.ts'
import { leaveAll } from './segment-leave.ts'
import {
  GATEWAY,
  REQUEST_ADDRESS_TYPE,
  type ReleaseAddressRequest,
  type ReleasePoolRequest,
  type RequestAddressRequest,
  type RequestPoolRequest,
} from './wire.ts'

/** The methods that change something. Each may come twice, late, or for what is already gone. */
export interface IpamDriver {
  requestPool(request: RequestPoolRequest): Promise<PoolAnswer>
  releasePool(request: ReleasePoolRequest): Promise<object>
  requestAddress(request: RequestAddressRequest): Promise<{ readonly Address: string }>
  releaseAddress(request: ReleaseAddressRequest): Promise<object>
  /**
   * Brings journal and directory together: at the start, when the directory is back, and when a segment could not be left.
   * Needs the directory; calls may come before. Gives back what could not be put right, for the log.
   * @throws RomanaError E_CONFLICT, E_STORE, E_RECORD
   */
  recover(): Promise<readonly string[]>
  /** Frees the pools that no network is made of. Due when a network is gone: the engine has released its pools before. */
  forgetUnusedPools(): Promise<void>
  /** Frees what a network had whose record a person has removed. @throws RomanaError E_STORE, E_RECORD */
  releasePoolsOf(network: NetworkRecord): Promise<void>
  /** Another host is gone for good, and with it what it held. @throws RomanaError E_CONFLICT, E_STORE, E_RECORD */
  leaveAllOf(host: HostNumber): Promise<void>
  /** For what people do with tenants and segments. */
  readonly segments: SegmentParts
}

export interface IpamDriverParts extends Omit<SegmentParts, 'age'> {
  readonly journal: Store
  /** A clock that does not jump, in milliseconds. */
  readonly nowMs: () => number
  /** @throws RomanaError E_PLAN_OVERLAP when this host uses addresses of the plan for something else, E_HOST when it has no IPv6. */
  readonly checkPlanIsFree: (family: Family) => Promise<void>
  /** Told when a segment could not be left, as the directory is away: {@link IpamDriver.recover} is due. */
  readonly onHoldLeft?: (error: RomanaError) => void
}

/**
 * The driver over its stores. Tasks that read and then write the journal take turns; so do calls for pools, which also wait
 * for the directory and must not hold up containers.
 */
export function makeIpamDriver(parts: IpamDriverParts): IpamDriver {
  const { plans, host, journal } = parts
  const addresses: AddressParts = { journal, age: makeRevisionAge(REST_MS, parts.nowMs) }
  const inTurn = makeSerial()
  const serial = <T>(task: () => Promise<T>) =>
    inTurn(async () => {
      addresses.age.observe((await journal.list(journalKeys.pools())).revision)
      return task()
    })
  const sweepRested = makeRestedSweep(addresses)
  const takeNext = makeTakeNextAddress(addresses)
  const poolTurn = makeSerial()
  const segments: SegmentParts = { ...parts, age: makeRevisionAge(NUMBER_REST_MS, parts.nowMs) }
  const onHoldLeft = parts.onHoldLeft ?? (() => undefined)
  const pools: PoolParts = {
    ...segments,
    journal,
    journalAge: addresses.age,
    journalTurn: serial,
    onHoldLeft,
  }
  let hasRecovered = false
  return {
    async requestPool(request) {
      const wish = parsePoolWish(plans, BigInt(host), request)
      await parts.checkPlanIsFree(wish.plan.cidr.family)
      return poolTurn(() => takePool(pools, wish))
    },
    async releasePool({ PoolID }) {
      await poolTurn(() => releasePool(pools, PoolID))
      return {}
    },
    requestAddress: (request) => serial(() => requestAddress({ ...parts, ...addresses, takeNext }, request)),
    async releaseAddress({ Address }) {
      const address = Ip.parse(Address)
      await serial(async () => {
        await releaseAddress(addresses, address)
        await sweepRested()
      })
      return {}
    },
    recover: () =>
      poolTurn(async () => {
        const problems = await recoverPools(pools, hasRecovered ? 'later' : 'first')
        hasRecovered = true
        return problems
      }),
    forgetUnusedPools: () => poolTurn(() => forgetUnusedPools(pools)),
    releasePoolsOf: ({ tenant, segment, ...network }) =>
      poolTurn(async () => {
        for (const { cell } of poolsOf({ tenant, segment, ...network }))
          await releaseCell(pools, { cell, tenant, segment })
      }),
    leaveAllOf: (gone) => leaveAll({ ...segments, host: gone }),
    segments,
  }
}

/** An endpoint's address is a /32 or /128: all that a container knows of its network is the gateway. */
async function requestAddress(
  parts: AddressParts & OwnPoolParts & { readonly takeNext: (id: PoolId) => Promise<Ip> },
  request: RequestAddressRequest,
): Promise<{ Address: string }> {
  const id = await findOwnPool(parts, request.PoolID)
  if (request.Options[REQUEST_ADDRESS_TYPE] === GATEWAY)
    return { Address: await gatewayAddress(parts, id, request) }
  const address =
    request.Address === undefined
      ? await parts.takeNext(id)
      : await takeAddress(parts, id, Ip.parse(request.Address))
  return { Address: String(hostCidr(address)) }
}

/** The gateway is the cell's first address unless the user names another one. Networks of a cell may share it. */
async function gatewayAddress(
  parts: AddressParts,
  id: PoolId,
  { Address }: RequestAddressRequest,
): Promise<string> {
  const usual = gatewayOf(id.cell)
  const wanted = Address === undefined ? usual : Ip.parse(Address)
  const isThere = wanted.equals(usual) || (await isKeptByNetwork(parts.journal, wanted))
  const address = isThere ? wanted : await takeAddress(parts, id, wanted)
  return `${address}/${id.cell.prefixLength}`
}
