import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cidr } from '../../address/cidr.ts'
import { Ip } from '../../address/ip.ts'
import { inTurn, sizeOf, spanOf } from '../../ipam-driver/allocate.ts'
import { addressOf } from '../address/arbitraries.ts'

/** Every address of a small network. */
function addressesOf(cidr: Cidr): Ip[] {
  return Array.from({ length: Number(cidr.size) }, (_, index) =>
    Ip.of(cidr.family, cidr.network.value + BigInt(index)),
  )
}

/** What may be given out, by its definition: of the range, but neither network, gateway nor last of the cell. */
function usable(cell: Cidr, range: Cidr): string[] {
  return addressesOf(cell)
    .slice(2, -1)
    .filter((address) => range.contains(address))
    .map(String)
}

const cellAndRange = addressOf(4).chain((address) =>
  fc
    .tuple(fc.integer({ min: 24, max: 30 }), fc.nat(255), fc.integer({ min: 0, max: 8 }))
    .map(([length, offset, deeper]) => {
      const cell = Cidr.around(address, length)
      const inside = Ip.of(4, cell.network.value + (BigInt(offset) % cell.size))
      return { cell, range: Cidr.around(inside, Math.min(32, length + deeper)) }
    }),
)

describe('a span', () => {
  it('holds just the endpoint addresses of the cell that lie in the range', () => {
    const property = fc.property(cellAndRange, ({ cell, range }) => {
      const span = spanOf(cell, range)
      const turn = span === undefined ? [] : [...inTurn(span, cell.network)].map(String)
      expect(turn).toEqual(usable(cell, range))
      expect(span === undefined ? 0 : Number(sizeOf(span))).toBe(turn.length)
    })
    fc.assert(property)
  })

  it('is gone through once, from behind the last given address round to it', () => {
    const property = fc.property(cellAndRange, fc.nat(255), ({ cell, range }, choice) => {
      const span = spanOf(cell, range)
      if (span === undefined) return
      const all = usable(cell, range)
      const at = choice % all.length
      const turn = [...inTurn(span, Ip.parse(all[at] ?? ''))].map(String)
      expect(turn).toEqual([...all.slice(at + 1), ...all.slice(0, at + 1)])
    })
    fc.assert(property)
  })

  it('begins at its first address when the last given one lies outside', () => {
    const span = spanOf(Cidr.parse('10.1.17.0/24'), Cidr.parse('10.1.17.128/30'))
    expect(span).toBeDefined()
    if (span === undefined) return
    expect([...inTurn(span, Ip.parse('10.1.17.200'))].join(' ')).toBe(
      '10.1.17.128 10.1.17.129 10.1.17.130 10.1.17.131',
    )
  })
})
