/** Which addresses of a cell may be given out, and in which order. Pure. */
import type { Cidr } from '../address/cidr.ts'
import { Ip } from '../address/ip.ts'
import { endpointRange } from '../address/prefixes.ts'

export interface Span {
  readonly first: Ip
  readonly last: Ip
}

/**
 * The endpoint addresses of `cell` that lie in `range`, or undefined when there is none: a range may hold nothing but
 * the network, the gateway or the last address.
 */
export function spanOf(cell: Cidr, range: Cidr): Span | undefined {
  const endpoints = endpointRange(cell)
  const first = larger(endpoints.first, range.network)
  const last = larger(endpoints.last, range.last).equals(range.last) ? endpoints.last : range.last
  return first.value > last.value ? undefined : { first, last }
}

/** How many addresses a span has. */
export function sizeOf({ first, last }: Span): bigint {
  return last.value - first.value + 1n
}

/** Every address of the span once, beginning behind `lastGiven` and going round. */
export function* inTurn(span: Span, lastGiven: Ip): Generator<Ip> {
  const size = sizeOf(span)
  const isInside = lastGiven.value >= span.first.value && lastGiven.value <= span.last.value
  const start = isInside ? lastGiven.value - span.first.value + 1n : 0n
  for (let step = 0n; step < size; step += 1n) {
    yield Ip.of(span.first.family, span.first.value + ((start + step) % size))
  }
}

function larger(a: Ip, b: Ip): Ip {
  return a.value > b.value ? a : b
}
