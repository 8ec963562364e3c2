/** IpamDriver.*: pools are cells of the address plan, addresses are endpoint numbers in them. */
import { hostCidr } from '../address/cidr.ts'
import { Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { journalKeys } from '../store/keys.ts'
import { makeRevisionAge } from '../store/revision-age.ts'
import { makeSerial } from '../store/serial.ts'
import {
  type AddressParts,
  isKeptByNetwork,
  REST_MS,
  releaseAddress,
  takeAddress,
  takeNextAddress,
} from './addresses.ts'
import { type PoolId, parsePoolId } from './pool-id.ts'
import { parsePoolWish } from './pool-wish.ts'
import { type PoolAnswer, type PoolParts, releasePool, takePool } from './pools.ts'
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
}

export interface IpamDriverParts extends PoolParts {
  /** A clock that does not jump, in milliseconds. */
  readonly nowMs: () => number
  /** @throws RomanaError E_PLAN_OVERLAP when this host uses addresses of the plan for something else. */
  readonly checkPlanIsFree: () => Promise<void>
}

/** The driver over its stores. Calls that read and then write the journal take turns. */
export function makeIpamDriver(parts: IpamDriverParts): IpamDriver {
  const { plan, host, journal } = parts
  const addresses: AddressParts = { journal, age: makeRevisionAge(REST_MS, parts.nowMs) }
  const inTurn = makeSerial()
  const serial = <T>(task: () => Promise<T>) =>
    inTurn(async () => {
      addresses.age.observe((await journal.list(journalKeys.pools())).revision)
      return task()
    })
  return {
    async requestPool(request) {
      const wish = parsePoolWish(plan, host, request)
      await parts.checkPlanIsFree()
      return serial(() => takePool(parts, wish))
    },
    async releasePool({ PoolID }) {
      await serial(() => releasePool(parts, PoolID))
      return {}
    },
    requestAddress: (request) => serial(() => requestAddress(addresses, request)),
    async releaseAddress({ Address }) {
      const address = Ip.parse(Address)
      await serial(() => releaseAddress(addresses, address))
      return {}
    },
  }
}

/** An endpoint's address is a /32: all that a container knows of its network is the gateway. */
async function requestAddress(
  parts: AddressParts,
  request: RequestAddressRequest,
): Promise<{ Address: string }> {
  const id = parsePoolId(request.PoolID)
  if (request.Options[REQUEST_ADDRESS_TYPE] === GATEWAY)
    return { Address: await gatewayAddress(parts, id, request) }
  const address =
    request.Address === undefined
      ? await takeNextAddress(parts, id)
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
