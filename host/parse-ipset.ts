/** What `ipset save` prints of our sets, as typed values. Pure. */
import type { Family } from '../address/ip.ts'
import { Ip } from '../address/ip.ts'
import { HOST_SETS } from './marks.ts'

/** The members of the set of hosts of a family; undefined when there is no such set. */
export function parseHostSet(text: string, family: Family): Ip[] | undefined {
  const ours = text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, name]) => name === HOST_SETS[family])
  if (!ours.some(([verb]) => verb === 'create')) return undefined
  return ours.flatMap(([verb, , member]) =>
    verb === 'add' && member !== undefined ? [Ip.parse(member)] : [],
  )
}
