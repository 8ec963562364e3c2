/**
 * The address plan: which bits of an address say host, tenant, segment and endpoint. Pure.
 *
 *     10 . 1 . 17 . 5     plan 10.0.0.0/8, widths 8/4/4/8
 *          |   |    endpoint 5
 *          |   tenant 1, segment 1
 *          host 1
 */
import { RomanaError } from '../errors.ts'
import { Cidr } from './cidr.ts'
import { ADDRESS_BITS } from './ip.ts'

/** The fields of an address behind the plan's prefix, most significant first. */
export const FIELDS = ['host', 'tenant', 'segment', 'endpoint'] as const
export type Field = (typeof FIELDS)[number]

/** Bits of each field. */
export type Widths = Readonly<Record<Field, number>>

/** A plan of one family. Prefix length and widths add up to the bits of an address. */
export interface AddressPlan {
  readonly cidr: Cidr
  readonly widths: Widths
}

/** The plans of both families. Host, tenant and segment numbers are the same in both. */
export interface Plans {
  readonly ipv4: AddressPlan
  readonly ipv6?: AddressPlan
}

/** Network, gateway and last address are never given out, so a cell needs at least four addresses. */
const LEAST_ENDPOINT_BITS = 2

export const DEFAULT_PLAN = '10.0.0.0/8 8/4/4/8'

/** @throws RomanaError E_PLAN when the widths do not fill the address exactly. */
export function makePlan(cidr: Cidr, widths: Widths): AddressPlan {
  const text = formatPlan({ cidr, widths })
  for (const field of FIELDS) {
    const least = field === 'endpoint' ? LEAST_ENDPOINT_BITS : 0
    if (!Number.isInteger(widths[field]) || widths[field] < least) {
      throw planError(text, `the ${field} field needs ${least} bits or more: it has ${widths[field]}`)
    }
  }
  const sum = cidr.prefixLength + FIELDS.reduce((bits, field) => bits + widths[field], 0)
  const wanted = ADDRESS_BITS[cidr.family]
  if (sum !== wanted)
    throw planError(text, `prefix and widths must add up to ${wanted} bits: they add up to ${sum}`)
  return { cidr, widths }
}

/** Reads "10.0.0.0/8 8/4/4/8": a CIDR and the bits of host, tenant, segment and endpoint. @throws RomanaError E_PLAN, E_ADDRESS */
export function parsePlan(text: string): AddressPlan {
  const match = /^\s*(\S+)\s+(\d{1,3})\/(\d{1,3})\/(\d{1,3})\/(\d{1,3})\s*$/.exec(text)
  if (match?.[1] === undefined) {
    throw planError(text, 'it is not a CIDR and the four widths host/tenant/segment/endpoint')
  }
  return makePlan(Cidr.parse(match[1]), {
    host: Number(match[2]),
    tenant: Number(match[3]),
    segment: Number(match[4]),
    endpoint: Number(match[5]),
  })
}

/** The text that {@link parsePlan} reads. */
export function formatPlan({ cidr, widths }: AddressPlan): string {
  return `${cidr} ${FIELDS.map((field) => widths[field]).join('/')}`
}

/** The lowest number of a field: 1, or 0 where the width is 0. */
export function firstNumber(plan: AddressPlan, field: Field): bigint {
  return plan.widths[field] === 0 ? 0n : 1n
}

/** The highest number that fits a field. */
export function lastNumber(plan: AddressPlan, field: Field): bigint {
  return (1n << BigInt(plan.widths[field])) - 1n
}

function planError(text: string, because: string): RomanaError {
  return new RomanaError('E_PLAN', {
    cannot: `use the address plan "${text}"`,
    because,
    remedy: `Write it like "${DEFAULT_PLAN}"`,
  })
}
