/** What `docker network create` asked the network driver for, checked. Pure. */
import * as v from 'valibot'
import { GLOBAL_ADDRESS_SPACE, LOCAL_ADDRESS_SPACE } from '../address/address-spaces.ts'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import type { Family } from '../address/ip.ts'
import { gatewayOf } from '../address/prefixes.ts'
import { RomanaError } from '../errors.ts'
import type { NetworkPool } from '../store/records.ts'
import { type CreateNetworkRequest, NETLABEL, type PoolData } from './wire.ts'

export interface NetworkWish extends NetworkPool {
  /** IPv6 beside IPv4. */
  readonly pool6?: NetworkPool
  readonly internal: boolean
  /** Bytes. */
  readonly mtu?: number
  /** Whether what leaves gets an address of the host. */
  readonly nat?: boolean
}

/** The least that IPv4 and IPv6 let a link carry (RFC 791; RFC 8200, 5), and the most that a veth does. */
const LEAST_MTU = { 4: 68, 6: 1280 } as const
const MOST_MTU = 65_535

/** The option of `docker network create -o` for {@link NetworkWish.nat}. */
const NAT = 'nat'

const GenericOptions = v.nullish(v.record(v.string(), v.string()), {})
const GENERIC_NAMES: readonly string[] = [NETLABEL.mtu, NAT]

/**
 * @param driverName by which the engine called, for the command that a refusal says.
 * @throws RomanaError E_IPAM_PAIR, E_OPTION, E_ADDRESS
 */
export function parseNetworkWish(request: CreateNetworkRequest, driverName: string): NetworkWish {
  const { IPv4Data, IPv6Data } = request
  const [first, second] = [...IPv4Data, ...IPv6Data]
  const spaces: string[] = [LOCAL_ADDRESS_SPACE, GLOBAL_ADDRESS_SPACE]
  if (first === undefined || !spaces.includes(first.AddressSpace)) throw ipamPairError(request, driverName)
  for (const [family, pools] of [[4, IPv4Data] as const, [6, IPv6Data] as const]) {
    if (pools.length > 1) throw manyPoolsError(family)
  }
  const options = genericOptions(request)
  const mtu = parseMtu(options, IPv6Data.length > 0 ? LEAST_MTU[6] : LEAST_MTU[4])
  const nat = parseNat(options)
  return {
    ...networkPool(first),
    ...(second && { pool6: networkPool(second) }),
    internal: request.Options[NETLABEL.internal] === true,
    ...(mtu === undefined ? {} : { mtu }),
    ...(nat === undefined ? {} : { nat }),
  }
}

function networkPool({ Pool, Gateway, AuxAddresses }: PoolData): NetworkPool {
  const cell = Cidr.parse(Pool)
  return {
    cell,
    gateway: Gateway === '' ? gatewayOf(cell) : parseAddressWithLength(Gateway).address,
    auxiliary: Object.values(AuxAddresses).map((text) => parseAddressWithLength(text).address),
  }
}

function genericOptions({ Options }: CreateNetworkRequest): Readonly<Record<string, string>> {
  const generic = v.parse(GenericOptions, Options[NETLABEL.generic])
  for (const name of Object.keys(generic)) {
    if (!GENERIC_NAMES.includes(name)) {
      throw optionError(
        `use the option "-o ${name}"`,
        'Romana does not know it',
        `The options are -o ${NETLABEL.mtu}=BYTES, -o ${NAT}=true or false, --ipam-opt tenant=NAME and --ipam-opt segment=NAME`,
      )
    }
  }
  return generic
}

function parseMtu(
  { [NETLABEL.mtu]: text }: Readonly<Record<string, string>>,
  least: number,
): number | undefined {
  if (text === undefined) return undefined
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (mtu >= least && mtu <= MOST_MTU) return mtu
  throw optionError(`use the MTU "${text}"`, `it is not a number from ${least} to ${MOST_MTU}`)
}

function parseNat({ [NAT]: text }: Readonly<Record<string, string>>): boolean | undefined {
  if (text === undefined) return undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw optionError(`use the option "-o ${NAT}=${text}"`, 'it is neither true nor false')
}

function manyPoolsError(family: Family): RomanaError {
  return optionError(
    'make the network',
    `a network has one IPv${family} pool: the cell of its segment`,
    'Give one --subnet, or none',
  )
}

function ipamPairError(request: CreateNetworkRequest, driverName: string): RomanaError {
  return new RomanaError('E_IPAM_PAIR', {
    cannot: 'make the network',
    because: 'its addresses do not come from the Romana IPAM driver',
    remedy: `Type, with the --ipam-opt that you want: docker network create ${createWords(request, driverName).join(' ')} NAME`,
  })
}

/** What the request says of the command line: all but the name. A subnet of another IPAM driver means nothing here. */
function createWords({ Options, IPv4Data, IPv6Data }: CreateNetworkRequest, driverName: string): string[] {
  const generic = Object.entries(v.parse(GenericOptions, Options[NETLABEL.generic]))
  return [
    ...['-d', driverName, '--ipam-driver', driverName],
    ...generic.flatMap(([name, value]) =>
      GENERIC_NAMES.includes(name) ? ['-o', shellWord(`${name}=${value}`)] : [],
    ),
    ...(Options[NETLABEL.internal] === true ? ['--internal'] : []),
    ...(IPv6Data.length > 0 ? ['--ipv6'] : []),
    ...(IPv6Data.length > 0 && IPv4Data.length === 0 ? ['--ipv4=false'] : []),
  ]
}

function shellWord(text: string): string {
  return /^[\w.=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function optionError(cannot: string, because: string, remedy?: string): RomanaError {
  return new RomanaError('E_OPTION', { cannot, because, ...(remedy === undefined ? {} : { remedy }) })
}
