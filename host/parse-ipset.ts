/** What `ipset save` prints of our set, as typed values. Pure. */
import { Ip } from '../address/ip.ts'
import { HOST_SET } from './marks.ts'

/** The members of the set of hosts; undefined when there is no such set. */
export function parseHostSet(text: string): Ip[] | undefined {
  const words = text.split('\n').map((line) => line.split(' '))
  if (!words.some(([verb, name]) => verb === 'create' && name === HOST_SET)) return undefined
  return words.flatMap(([verb, name, member]) =>
    verb === 'add' && name === HOST_SET && member !== undefined ? [Ip.parse(member)] : [],
  )
}
