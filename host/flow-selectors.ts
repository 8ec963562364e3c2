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
  if (forgotten.length === 0) return []
  const endTexts = new EndTexts(plan)
  const wanted = forgotten.map((flow) => textsOf(endTexts, flow))
  const usable = new Set(wanted.flat())
  for (const flow of kept) for (const text of textsOf(endTexts, flow)) usable.delete(text)
  const chosen = wanted.flatMap((texts) => texts.find((text) => usable.has(text)) ?? texts.at(-1) ?? [])
  return [...new Set(chosen)].map((text) => text.split(' '))
}

/** Which addresses a selector means at one end of a flow. */
type Extent = 'any' | 'segment' | 'address'

/** From wide to narrow. Never any and any: what concerns no address of the plan is not Romana's to forget. */
const ENDS: readonly (readonly [Extent, Extent])[] = [
  ['any', 'segment'],
  ['segment', 'any'],
  ['segment', 'segment'],
  ['segment', 'address'],
  ['address', 'segment'],
  ['address', 'address'],
]

/** All selectors that mean the flow, from wide to narrow. */
function textsOf(endTexts: EndTexts, flow: Flow): string[] {
  const [source, destination] = [endTexts.of('src', flow.source), endTexts.of('dst', flow.destination)]
  const services = servicesOf(flow)
  return ENDS.flatMap(([from, to]) => {
    const [begin, end] = [source[from], destination[to]]
    if (begin === undefined || end === undefined) return []
    return services.map((service) => `-f ipv${flow.source.family}${begin}${end}${service}`)
  })
}

type ExtentTexts = Readonly<Record<Extent, string | undefined>>

/** What a selector says of one end. Kept, since there are many flows between few addresses. */
class EndTexts {
  readonly #plan: AddressPlan
  readonly #known = { src: new Map<bigint, ExtentTexts>(), dst: new Map<bigint, ExtentTexts>() }

  constructor(plan: AddressPlan) {
    this.#plan = plan
  }

  of(end: 'src' | 'dst', address: Ip): ExtentTexts {
    const texts = this.#known[end].get(address.value) ?? this.#make(end, address)
    this.#known[end].set(address.value, texts)
    return texts
  }

  /** The segment's text is undefined where the address has none. */
  #make(end: 'src' | 'dst', address: Ip): ExtentTexts {
    const mask = segmentMask(this.#plan)
    const numbers = Ip.of(address.family, address.value & mask)
    const segment = ` --${end} ${numbers} --mask-${end} ${Ip.of(address.family, mask)}`
    return {
      any: '',
      segment: this.#plan.cidr.contains(address) ? segment : undefined,
      address: ` --${end} ${address}`,
    }
  }
}

function servicesOf({ protocol, port, icmpType }: Flow): string[] {
  const ofProtocol = ` -p ${protocol}`
  const ofIcmp = icmpType === undefined ? [] : [`${ofProtocol} --${protocol}-type ${icmpType}`]
  const one = port === undefined ? ofIcmp : [`${ofProtocol} --dport ${port}`]
  return ['', ofProtocol, ...one]
}
