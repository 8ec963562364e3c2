/** Numbers to addresses and back. Pure. */
import { RomanaError } from '../errors.ts'
import { type AddressPlan, FIELDS, type Field, firstNumber, lastNumber } from './address-plan.ts'
import { Ip } from './ip.ts'

/** What an address says. */
export type AddressNumbers = Readonly<Record<Field, bigint>>

/** Bits to the right of a field. */
export function shiftOf(plan: AddressPlan, field: Field): bigint {
  const behind = FIELDS.slice(FIELDS.indexOf(field) + 1)
  return BigInt(behind.reduce((bits, other) => bits + plan.widths[other], 0))
}

/** The bits of a field, in place. */
export function fieldMask(plan: AddressPlan, field: Field): bigint {
  return lastNumber(plan, field) << shiftOf(plan, field)
}

/**
 * The address of these numbers. A number that does not fit its field is refused and never spills into the next one:
 * that would be another tenant's or another host's address. Endpoint 0 is allowed: it is the network address of a cell.
 * @throws RomanaError E_NUMBER
 */
export function encodeAddress(plan: AddressPlan, numbers: AddressNumbers): Ip {
  let value = plan.cidr.network.value
  for (const field of FIELDS) {
    checkNumber(plan, field, numbers[field])
    value |= numbers[field] << shiftOf(plan, field)
  }
  return Ip.of(plan.cidr.family, value)
}

/** What the bits of `address` say, or undefined when it lies outside the plan. */
export function decodeAddress(plan: AddressPlan, address: Ip): AddressNumbers | undefined {
  if (!plan.cidr.contains(address)) return undefined
  const numberOf = (field: Field) => (address.value >> shiftOf(plan, field)) & lastNumber(plan, field)
  return {
    host: numberOf('host'),
    tenant: numberOf('tenant'),
    segment: numberOf('segment'),
    endpoint: numberOf('endpoint'),
  }
}

/** @throws RomanaError E_NUMBER unless the number fits its field; numbers of hosts, tenants and segments start at 1. */
export function checkNumber(plan: AddressPlan, field: Field, number: bigint): void {
  const first = field === 'endpoint' ? 0n : firstNumber(plan, field)
  const last = lastNumber(plan, field)
  if (number < first || number > last) {
    throw new RomanaError('E_NUMBER', {
      cannot: `use ${field} number ${number}`,
      because: `the plan ${plan.cidr} has ${plan.widths[field]} ${field} bits: numbers from ${first} to ${last}`,
    })
  }
}
