/** The bits of an address as letters. Pure. */
import { type AddressPlan, FIELDS } from '../address/address-plan.ts'

export const BIT_LEGEND = 'p prefix, h host, t tenant, s segment, e endpoint'

/** One letter a bit, in the groups in which the family is written: "pppppppp.hhhhhhhh.ttttssss.eeeeeeee". */
export function bitFigure({ cidr, widths }: AddressPlan): string {
  const fields = FIELDS.map((field) => field.charAt(0).repeat(widths[field]))
  const bits = ['p'.repeat(cidr.prefixLength), ...fields].join('')
  return cidr.family === 4 ? group(bits, 8, '.') : group(bits, 16, ':')
}

function group(bits: string, size: number, separator: string): string {
  return bits.replaceAll(new RegExp(`.{${size}}(?=.)`, 'g'), `$&${separator}`)
}
