/** What `docker network create` asked the network driver for, checked. Pure. */
import * as v from 'valibot'
import { GLOBAL_ADDRESS_SPACE, LOCAL_ADDRESS_SPACE } from '../address/address-spaces.ts'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import { type CreateNetworkRequest, NETLABEL } from './wire.ts'

export interface NetworkWish {
  readonly cell: Cidr
  readonly gateway: Ip
  /** Addresses that the user keeps from the network's containers. */
  readonly auxiliary: Ip[]
  readonly internal: boolean
  /** Bytes. */
  readonly mtu?: number
}

/** The least that IPv4 lets a link carry (RFC 791), and the most that a veth does. */
const MTU_RANGE = { least: 68, most: 65_535 }

/** @throws RomanaError E_IPAM_PAIR, E_OPTION, E_ADDRESS */
export function parseNetworkWish(request: CreateNetworkRequest): NetworkWish {
  const [pool, ...morePools] = request.IPv4Data
  const spaces: string[] = [LOCAL_ADDRESS_SPACE, GLOBAL_ADDRESS_SPACE]
  if (pool === undefined || !spaces.includes(pool.AddressSpace)) throw ipamPairError()
  if (morePools.length > 0 || request.IPv6Data.length > 0) {
    throw optionError(
      'make the network',
      'a network has one IPv4 pool: the cell of its segment',
      'Give one --subnet, or none',
    )
  }
  const cell = Cidr.parse(pool.Pool)
  const mtu = parseMtu(genericOptions(request))
  return {
    cell,
    gateway: pool.Gateway === '' ? gatewayOf(cell) : parseAddressWithLength(pool.Gateway).address,
    auxiliary: Object.values(pool.AuxAddresses).map((text) => parseAddressWithLength(text).address),
    internal: request.Options[NETLABEL.internal] === true,
    ...(mtu === undefined ? {} : { mtu }),
  }
}

function genericOptions({ Options }: CreateNetworkRequest): Readonly<Record<string, string>> {
  const generic = v.parse(v.nullish(v.record(v.string(), v.string()), {}), Options[NETLABEL.generic])
  for (const name of Object.keys(generic)) {
    if (name !== NETLABEL.mtu) {
      throw optionError(
        `use the option "-o ${name}"`,
        'Romana does not know it',
        `The options are -o ${NETLABEL.mtu}=BYTES, --ipam-opt tenant=NAME and --ipam-opt segment=NAME`,
      )
    }
  }
  return generic
}

function parseMtu({ [NETLABEL.mtu]: text }: Readonly<Record<string, string>>): number | undefined {
  if (text === undefined) return undefined
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (mtu >= MTU_RANGE.least && mtu <= MTU_RANGE.most) return mtu
  throw optionError(
    `use the MTU "${text}"`,
    `it is not a number from ${MTU_RANGE.least} to ${MTU_RANGE.most}`,
  )
}

function ipamPairError(): RomanaError {
  return new RomanaError('E_IPAM_PAIR', {
    cannot: 'make the network',
    because: 'its addresses do not come from the Romana IPAM driver',
    remedy:
      'Type: docker network create -d romana --ipam-driver romana --ipam-opt tenant=TENANT --ipam-opt segment=SEGMENT NETWORK',
  })
}

function optionError(cannot: string, because: string, remedy?: string): RomanaError {
  return new RomanaError('E_OPTION', { cannot, because, ...(remedy === undefined ? {} : { remedy }) })
}
