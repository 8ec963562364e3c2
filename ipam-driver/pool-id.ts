/**
 * The engine keeps a pool's id and sends it with every address request, but never the network's. So the id says all
 * that the pool is: a plugin whose journal is lost reads it again from there. Pure.
 *
 *     10.1.17.0/24,blue,web            or, with --ip-range, 10.1.17.0/24,blue,web,10.1.17.128/25
 */
import * as v from 'valibot'
import { Cidr } from '../address/cidr.ts'
import { RomanaError } from '../errors.ts'
import { type Name, NameSchema } from '../store/ids.ts'

export interface PoolId {
  readonly cell: Cidr
  readonly tenant: Name
  readonly segment: Name
  /** Addresses that are not asked for by name come from here. */
  readonly range: Cidr
}

export function formatPoolId({ cell, tenant, segment, range }: PoolId): string {
  return [cell, tenant, segment, ...(range.equals(cell) ? [] : [range])].join(',')
}

/** @throws RomanaError E_POOL_UNKNOWN */
export function parsePoolId(text: string): PoolId {
  const [cellText = '', tenant, segment, rangeText = cellText, ...rest] = text.split(',')
  try {
    if (rest.length > 0) throw new Error('it has too many parts')
    const cell = Cidr.parse(cellText)
    return {
      cell,
      tenant: v.parse(NameSchema, tenant),
      segment: v.parse(NameSchema, segment),
      range: Cidr.parse(rangeText),
    }
  } catch (cause) {
    throw new RomanaError('E_POOL_UNKNOWN', {
      cannot: `find the pool "${text}"`,
      because: 'it is not the id of a pool that this driver has given out',
      cause,
    })
  }
}
