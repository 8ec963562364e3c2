/** The IPv6 plan beside an IPv4 one. Hosts, tenants and segments have one number for both, so it must fit both. Pure. */
import { RomanaError } from '../errors.ts'
import { type AddressPlan, type Field, formatPlan, makePlan, type Plans } from './address-plan.ts'
import { Cidr } from './cidr.ts'
import { type Family, Ip } from './ip.ts'

/** Bits of the random part of a unique local prefix, behind fd00::/8 (RFC 4193, 3.1). */
const GLOBAL_ID_BITS = 40n
/** Every site of RFC 4193 has a /48. */
const SITE_LENGTH = 48
/** Bits between two colons of an address as people write it. */
const GROUP_BITS = 16
const SHARED_FIELDS = ['host', 'tenant', 'segment'] as const satisfies readonly Field[]

/**
 * The plan of a cluster that is given none: a /48 of its own and a group of the text for each number, so that
 * fd3a:1c55:9e02:1:2:3::5 is host 1, tenant 2, segment 3. A number that needs more has two groups; one that the
 * IPv4 plan does not have has none.
 * @param globalId 40 random bits, made once for a cluster (RFC 4193, 3.2).
 */
export function localIpv6Plan(ipv4: AddressPlan, globalId: bigint): AddressPlan {
  const site = (0xfdn << GLOBAL_ID_BITS) | BigInt.asUintN(Number(GLOBAL_ID_BITS), globalId)
  const groupsOf = (field: Field) => Math.ceil(ipv4.widths[field] / GROUP_BITS) * GROUP_BITS
  const widths = { host: groupsOf('host'), tenant: groupsOf('tenant'), segment: groupsOf('segment') }
  const endpoint = 128 - SITE_LENGTH - widths.host - widths.tenant - widths.segment
  return makePlan(Cidr.of(Ip.of(6, site << BigInt(128 - SITE_LENGTH)), SITE_LENGTH), { ...widths, endpoint })
}

/**
 * Both plans together. @throws RomanaError E_PLAN when a number of the IPv4 plan has no place in the IPv6 one. Where the
 * one has no bits for a field the other has none either: its number is 0, which elsewhere is nobody's.
 */
export function pairPlans(ipv4: AddressPlan, ipv6: AddressPlan): Plans {
  const field = SHARED_FIELDS.find((shared) => !fits(ipv4.widths[shared], ipv6.widths[shared]))
  if (field !== undefined) {
    const [bits, bits6] = [ipv4.widths[field], ipv6.widths[field]]
    throw new RomanaError('E_PLAN', {
      cannot: `use the address plan "${formatPlan(ipv6)}" beside "${formatPlan(ipv4)}"`,
      because: `${field}s have one number in both: the ${field} field needs ${bits === 0 ? '0 bits' : `${bits} bits or more`}, and has ${bits6}`,
      remedy: `Write it like "${formatPlan(localIpv6Plan(ipv4, 1n))}"`,
    })
  }
  return { ipv4, ipv6 }
}

/** Whether {@link pairPlans} takes them. */
export function goTogether(ipv4: AddressPlan, ipv6: AddressPlan): boolean {
  return SHARED_FIELDS.every((field) => fits(ipv4.widths[field], ipv6.widths[field]))
}

function fits(bits: number, bits6: number): boolean {
  return bits === 0 ? bits6 === 0 : bits6 >= bits
}

/** The plan of a family, if this cluster has one. */
export function planOf(plans: Plans, family: Family): AddressPlan | undefined {
  return family === 4 ? plans.ipv4 : plans.ipv6
}

/** All plans there are. */
export function plansOf({ ipv4, ipv6 }: Plans): AddressPlan[] {
  return ipv6 === undefined ? [ipv4] : [ipv4, ipv6]
}
