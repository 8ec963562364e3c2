/** `docker network create --subnet`: the cell of a segment on this host, and nothing else. Its bits fix the numbers. */
import { type AddressPlan, firstNumber } from '../address/address-plan.ts'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import { type AddressNumbers, decodeAddress } from '../address/codec.ts'
import { ADDRESS_BITS } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import type { TenantRecord } from '../store/records.ts'
import {
  type FreeNumber,
  findNumber,
  type NumberParts,
  type NumberSpace,
  type WantedNumber,
} from './field-numbers.ts'

/** A subnet asked for. Without numbers it lies outside the plan. */
export interface Subnet {
  /** Of the family asked for. */
  readonly plan: AddressPlan
  readonly cidr: Cidr
  readonly numbers: AddressNumbers | undefined
  /** Why it cannot be a cell of this host. */
  readonly problem: string | undefined
}

/** Engines before 25.0 pass a subnet on as it was typed, with bits behind the prefix. @throws RomanaError E_ADDRESS */
export function parseSubnet(plan: AddressPlan, host: bigint, text: string): Subnet {
  const { address, prefixLength } = parseAddressWithLength(text)
  const cidr = Cidr.around(address, prefixLength)
  const numbers = decodeAddress(plan, cidr.network)
  return { plan, cidr, numbers, problem: problemOf(plan, host, cidr, numbers) }
}

function problemOf(
  plan: AddressPlan,
  host: bigint,
  { prefixLength }: Cidr,
  numbers: AddressNumbers | undefined,
): string | undefined {
  const cellLength = ADDRESS_BITS[plan.cidr.family] - plan.widths.endpoint
  if (numbers === undefined) return outside(plan)
  if (prefixLength !== cellLength) return `a cell of the plan ${plan.cidr} is a /${cellLength}`
  if (numbers.host !== host) return `its bits say host ${numbers.host}, and this is host ${host}`
  for (const field of ['tenant', 'segment'] as const) {
    if (numbers[field] < firstNumber(plan, field))
      return `its bits say ${field} ${numbers[field]}, and numbers of ${field}s begin at 1`
  }
  return undefined
}

/** The number that a subnet fixes, for a tenant or segment that is to be made. @throws RomanaError E_SUBNET, E_STORE, E_RECORD */
export async function subnetNumber(
  parts: NumberParts,
  space: NumberSpace,
  wanted: Omit<WantedNumber, 'number'>,
  { plan, cidr, numbers }: Subnet,
): Promise<FreeNumber> {
  if (numbers === undefined) throw subnetError(cidr, outside(plan))
  const found = await findNumber(parts, space, { ...wanted, number: numbers[space.field] })
  if ('because' in found) throw subnetError(cidr, found.because)
  return found
}

/** @throws RomanaError E_SUBNET when the tenant that is there has another number than the subnet's bits say */
export function checkTenantNumber({ name, number }: TenantRecord, { cidr, numbers }: Subnet): void {
  if (numbers?.tenant === BigInt(number)) return
  throw subnetError(cidr, `its bits say tenant ${numbers?.tenant}, and tenant "${name}" has number ${number}`)
}

function outside(plan: AddressPlan): string {
  return `it lies outside the plan ${plan.cidr}`
}

/** @param because what stands against the subnet. The remedy is a matter of the directory. */
export function subnetError(cidr: Cidr, because: string): RomanaError {
  return new RomanaError('E_SUBNET', { cannot: `use the subnet "${cidr}"`, because })
}
