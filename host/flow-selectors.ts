/**
 * What `conntrack -D` is told, so that the kernel forgets some flows and keeps the others. For each selector it walks through all
 * flows of the machine, 10 ms and more: so one selector means as many as it can, such as all from one segment to another. Pure.
 */
import type { AddressPlan } from '../address/address-plan.ts'
import { Ip } from '../address/ip.ts'
import { segmentMask } from '../address/prefixes.ts'
import type { Flow } from './parse-conntrack.ts'

/** Arguments of `conntrack -D`. */
export type FlowSelector = readonly string[]

/** Each of `forgotten` is meant by a selector, and none of `kept` that differs from all of them in what selectors can name. */
export function flowSelectors(
  plan: AddressPlan,
  forgotten: readonly Flow[],
  kept: readonly Flow[],
): FlowSelector[] {
  const taboo = new Set(kept.flatMap((flow) => textsOf(plan, flow)))
  const chosen = forgotten.flatMap((flow) => {
    const texts = textsOf(plan, flow)
    return texts.find((text) => !taboo.has(text)) ?? texts.at(-1) ?? []
  })
  return [...new Set(chosen)].map((text) => text.split(' '))
}

/** Which addresses a selector means at one end of a flow. */
type Extent = 'any' | 'segment' | 'address'

/** From wide to narrow. Not any and any: what concerns no address of the plan is not Romana's to forget. */
const ENDS: readonly (readonly [Extent, Extent])[] = [
  ['any', 'segment'],
  ['segment', 'any'],
  ['segment', 'segment'],
  ['any', 'address'],
  ['address', 'any'],
  ['segment', 'address'],
  ['address', 'segment'],
  ['address', 'address'],
]

/** All selectors that mean the flow, from wide to narrow. */
function textsOf(plan: AddressPlan, flow: Flow): string[] {
  return ENDS.flatMap(([from, to]) => {
    const source = endOf(plan, 'src', flow.source, from)
    const destination = endOf(plan, 'dst', flow.destination, to)
    if (source === undefined || destination === undefined) return []
    return servicesOf(flow).map((service) => `-f ipv${flow.source.family}${source}${destination}${service}`)
  })
}

function endOf(plan: AddressPlan, end: 'src' | 'dst', address: Ip, extent: Extent): string | undefined {
  if (extent === 'any') return ''
  if (extent === 'address') return ` --${end} ${address}`
  if (!plan.cidr.contains(address)) return undefined
  const mask = segmentMask(plan)
  const numbers = Ip.of(address.family, address.value & mask)
  return ` --${end} ${numbers} --mask-${end} ${Ip.of(address.family, mask)}`
}

function servicesOf({ protocol, port, icmpType }: Flow): string[] {
  const ofProtocol = ` -p ${protocol}`
  const one =
    port === undefined
      ? icmpType === undefined
        ? []
        : [`${ofProtocol} --${protocol}-type ${icmpType}`]
      : [`${ofProtocol} --dport ${port}`]
  return ['', ofProtocol, ...one]
}
