/** What `docker network create` asked the IPAM driver for, checked. Pure. */
import { type AddressPlan, firstNumber } from '../address/address-plan.ts'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import { type AddressNumbers, decodeAddress } from '../address/codec.ts'
import { ADDRESS_BITS } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import { parseName, type SegmentWish } from './segments.ts'
import type { RequestPoolRequest } from './wire.ts'

/** The tenant of networks that name none, and the segment of those that name only a tenant. */
const DEFAULT_NAME = 'default'
const OPTIONS = ['tenant', 'segment']

export interface PoolWish {
  /** The subnet asked for, with what its bits say. */
  readonly subnet?: { readonly cidr: Cidr; readonly numbers: AddressNumbers }
  readonly range?: Cidr
  /** Absent: --subnet was given without options, and names an existing segment by its numbers. */
  readonly segment?: SegmentWish
}

/** @throws RomanaError E_OPTION, E_NAME, E_SUBNET, E_ADDRESS */
export function parsePoolWish(plan: AddressPlan, host: bigint, request: RequestPoolRequest): PoolWish {
  if (request.V6)
    throw optionError('make an IPv6 pool', 'this release gives out IPv4 addresses only', 'Leave out --ipv6')
  for (const name of Object.keys(request.Options)) {
    if (!OPTIONS.includes(name)) {
      throw optionError(
        `use the option "--ipam-opt ${name}"`,
        'Romana does not know it',
        'The options are --ipam-opt tenant=NAME and --ipam-opt segment=NAME',
      )
    }
  }
  const subnet = request.Pool === undefined ? undefined : parseSubnet(plan, host, request.Pool)
  const range = request.SubPool === undefined ? undefined : parseRange(request.SubPool, subnet?.cidr)
  const named = Object.keys(request.Options).length > 0 || subnet === undefined
  return {
    ...(subnet === undefined ? {} : { subnet }),
    ...(range === undefined ? {} : { range }),
    ...(named ? { segment: segmentWish(request.Options, subnet?.numbers) } : {}),
  }
}

function segmentWish(
  options: Readonly<Record<string, string>>,
  numbers: AddressNumbers | undefined,
): SegmentWish {
  const { tenant, segment = tenant === undefined ? undefined : DEFAULT_NAME } = options
  return {
    tenant: parseName('tenant', tenant ?? DEFAULT_NAME),
    ...(segment === undefined ? {} : { segment: parseName('segment', segment) }),
    ...(numbers === undefined ? {} : { tenantNumber: numbers.tenant, segmentNumber: numbers.segment }),
  }
}

/** Engines before 25.0 pass a subnet on as it was typed, with bits behind the prefix. */
function parseSubnet(plan: AddressPlan, host: bigint, text: string): { cidr: Cidr; numbers: AddressNumbers } {
  const { address, prefixLength } = parseAddressWithLength(text)
  const cidr = Cidr.around(address, prefixLength)
  const cellLength = ADDRESS_BITS[plan.cidr.family] - plan.widths.endpoint
  const numbers = decodeAddress(plan, cidr.network)
  if (numbers === undefined) throw subnetError(cidr, `it lies outside the plan ${plan.cidr}`)
  if (prefixLength !== cellLength)
    throw subnetError(cidr, `a cell of the plan ${plan.cidr} is a /${cellLength}`)
  if (numbers.host !== host)
    throw subnetError(cidr, `its bits say host ${numbers.host}, and this is host ${host}`)
  for (const field of ['tenant', 'segment'] as const) {
    if (numbers[field] < firstNumber(plan, field))
      throw subnetError(cidr, `its bits say ${field} ${numbers[field]}, and numbers of ${field}s begin at 1`)
  }
  return { cidr, numbers }
}

function parseRange(text: string, subnet: Cidr | undefined): Cidr {
  const { address, prefixLength } = parseAddressWithLength(text)
  const range = Cidr.around(address, prefixLength)
  if (subnet === undefined || !subnet.contains(range.network) || range.prefixLength < subnet.prefixLength) {
    throw subnetError(
      range,
      `an --ip-range must lie in the --subnet${subnet === undefined ? '' : ` ${subnet}`}`,
    )
  }
  return range
}

/** @param because what stands against the subnet. */
export function subnetError(cidr: Cidr, because: string): RomanaError {
  return new RomanaError('E_SUBNET', {
    cannot: `use the subnet "${cidr}"`,
    because,
    remedy: 'Leave out --subnet: tenant and segment say which addresses a network has',
  })
}

function optionError(cannot: string, because: string, remedy: string): RomanaError {
  return new RomanaError('E_OPTION', { cannot, because, remedy })
}
