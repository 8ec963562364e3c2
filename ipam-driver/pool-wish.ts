/** What `docker network create` asked the IPAM driver for, checked. Pure. */
import * as v from 'valibot'
import type { AddressPlan, Plans } from '../address/address-plan.ts'
import { Cidr, parseAddressWithLength } from '../address/cidr.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { RomanaError } from '../errors.ts'
import { NameSchema } from '../store/ids.ts'
import { parseName } from './names.ts'
import type { SegmentWish } from './segments.ts'
import { parseSubnet, type Subnet } from './subnet.ts'
import type { RequestPoolRequest } from './wire.ts'

/** The tenant of networks that name none, and the segment of those that name only a tenant. */
export const DEFAULT_NAME = v.parse(NameSchema, 'default')
const OPTIONS = ['tenant', 'segment']

export type PoolWish = {
  /** Of the family asked for. */
  readonly plan: AddressPlan
  readonly range?: Range
} & (
  | { readonly segment: SegmentWish; readonly subnet?: Subnet }
  /** --subnet was given without options, and names an existing segment by its numbers. */
  | { readonly segment?: undefined; readonly subnet: Subnet }
)

/** What --ip-range asked for. */
export interface Range {
  readonly cidr: Cidr
  /** Why it cannot be. */
  readonly problem: string | undefined
}

/** @throws RomanaError E_OPTION, E_NAME, E_ADDRESS */
export function parsePoolWish(plans: Plans, host: bigint, request: RequestPoolRequest): PoolWish {
  const plan = planOf(plans, request.V6 ? 6 : 4)
  if (plan === undefined)
    throw optionError(
      'make an IPv6 pool',
      'this cluster has no IPv6 plan yet',
      'The plugin makes one when it starts and the directory answers: enable it anew, or leave out --ipv6',
    )
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
  const range = request.SubPool === undefined ? {} : { range: parseRange(request.SubPool, subnet?.cidr) }
  const asked = { plan, ...range }
  if (subnet === undefined) return { ...asked, segment: segmentWish(request.Options) }
  if (Object.keys(request.Options).length === 0) return { ...asked, subnet }
  return { ...asked, segment: segmentWish(request.Options), subnet }
}

function segmentWish(options: Readonly<Record<string, string>>): SegmentWish {
  const { tenant, segment = tenant === undefined ? undefined : DEFAULT_NAME } = options
  return {
    tenant: parseName('tenant', tenant ?? DEFAULT_NAME),
    ...(segment === undefined ? {} : { segment: parseName('segment', segment) }),
  }
}

function parseRange(text: string, subnet: Cidr | undefined): Range {
  const { address, prefixLength } = parseAddressWithLength(text)
  const cidr = Cidr.around(address, prefixLength)
  const isInside = subnet?.contains(cidr.network) === true && prefixLength >= subnet.prefixLength
  const problem = `an --ip-range must lie in the --subnet${subnet === undefined ? '' : ` ${subnet}`}`
  return { cidr, problem: isInside ? undefined : problem }
}

function optionError(cannot: string, because: string, remedy: string): RomanaError {
  return new RomanaError('E_OPTION', { cannot, because, remedy })
}
