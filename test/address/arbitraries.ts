/** Any address, network and plan of either family, for property tests. */
import fc from 'fast-check'
import {
  type AddressPlan,
  FIELDS,
  type Field,
  firstNumber,
  lastNumber,
  makePlan,
} from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import type { AddressNumbers } from '../../address/codec.ts'
import { ADDRESS_BITS, type Family, Ip } from '../../address/ip.ts'

const family: fc.Arbitrary<Family> = fc.constantFrom(4, 6)

export function addressOf(ofFamily: Family): fc.Arbitrary<Ip> {
  const max = (1n << BigInt(ADDRESS_BITS[ofFamily])) - 1n
  return fc.bigInt({ min: 0n, max }).map((value) => Ip.of(ofFamily, value))
}

export const anyAddress: fc.Arbitrary<Ip> = family.chain(addressOf)

export function cidrOf(
  ofFamily: Family,
  lengths = { min: 0, max: ADDRESS_BITS[ofFamily] },
): fc.Arbitrary<Cidr> {
  return fc
    .tuple(addressOf(ofFamily), fc.integer(lengths))
    .map(([address, length]) => Cidr.around(address, length))
}

export const anyCidr: fc.Arbitrary<Cidr> = family.chain((ofFamily) => cidrOf(ofFamily))

/** A plan of this family with any prefix and any widths that fill it. */
export function planOf(ofFamily: Family): fc.Arbitrary<AddressPlan> {
  const bits = ADDRESS_BITS[ofFamily] - 2
  const cuts = fc.array(fc.integer({ min: 0, max: bits }), { minLength: 4, maxLength: 4 })
  return fc.tuple(addressOf(ofFamily), cuts).map(([address, unsorted]) => {
    const [prefix = 0, host = 0, tenant = 0, segment = 0] = unsorted.toSorted((a, b) => a - b)
    return makePlan(Cidr.around(address, prefix), {
      host: host - prefix,
      tenant: tenant - host,
      segment: segment - tenant,
      endpoint: ADDRESS_BITS[ofFamily] - segment,
    })
  })
}

export const anyPlan: fc.Arbitrary<AddressPlan> = family.chain(planOf)

/** A number of an endpoint that may be given out, or a valid number of another field. */
export function numberOf(plan: AddressPlan, field: Field): fc.Arbitrary<bigint> {
  const last = lastNumber(plan, field)
  return field === 'endpoint'
    ? fc.bigInt({ min: 2n, max: last - 1n })
    : fc.bigInt({ min: firstNumber(plan, field), max: last })
}

export function numbersOf(plan: AddressPlan): fc.Arbitrary<AddressNumbers> {
  return fc.record({
    host: numberOf(plan, 'host'),
    tenant: numberOf(plan, 'tenant'),
    segment: numberOf(plan, 'segment'),
    endpoint: numberOf(plan, 'endpoint'),
  })
}

/** A plan and numbers of one address in it. */
export const planWithNumbers: fc.Arbitrary<{ plan: AddressPlan; numbers: AddressNumbers }> = anyPlan.chain(
  (plan) => fc.record({ plan: fc.constant(plan), numbers: numbersOf(plan) }),
)

/** A plan and the numbers of two addresses in it, which often agree in some fields and differ in others. */
export const planWithPair: fc.Arbitrary<{ plan: AddressPlan; a: AddressNumbers; b: AddressNumbers }> =
  anyPlan.chain((plan) =>
    fc
      .record({ a: numbersOf(plan), other: numbersOf(plan), shared: fc.subarray([...FIELDS]) })
      .map(({ a, other, shared }) => ({ plan, a, b: { ...other, ...pick(a, shared) } })),
  )

function pick(numbers: AddressNumbers, fields: readonly Field[]): Partial<AddressNumbers> {
  return Object.fromEntries(fields.map((field) => [field, numbers[field]]))
}

export const anyField: fc.Arbitrary<Field> = fc.constantFrom(...FIELDS)
