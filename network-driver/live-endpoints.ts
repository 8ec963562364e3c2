/** The endpoints that have links, in memory: what a Join must know without asking the kernel or reading every record. */
import type { Plans } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import type { Ip } from '../address/ip.ts'
import { planOf } from '../address/ipv6-plan.ts'
import { cellAround } from '../address/prefixes.ts'
import { addressesOf } from '../store/families.ts'
import type { EndpointId } from '../store/ids.ts'
import type { EndpointRecord } from '../store/records.ts'

export interface LiveEndpoint {
  readonly endpointId: EndpointId
  readonly cells: readonly Cidr[]
  /** The container's namespace, as the engine names it; a name of its own for one adopted from a link that does not say it. */
  readonly sandbox?: string | undefined
}

export class LiveEndpoints {
  readonly #endpoints = new Map<EndpointId, LiveEndpoint>()
  readonly #bySandbox = new Map<string, Set<LiveEndpoint>>()

  /** @param endpoints whose links were seen: those that are gone were buried just before. */
  static of(plans: Plans, endpoints: readonly EndpointRecord[]): LiveEndpoints {
    const live = new LiveEndpoints()
    for (const endpoint of endpoints.filter(({ joined }) => joined)) {
      const { endpointId, sandbox } = endpoint
      live.add({
        endpointId,
        cells: addressesOf(endpoint).flatMap((address) => cellOf(plans, address)),
        sandbox,
      })
    }
    return live
  }

  has(endpointId: EndpointId): boolean {
    return this.#endpoints.has(endpointId)
  }

  add(endpoint: LiveEndpoint): void {
    this.delete(endpoint.endpointId)
    this.#endpoints.set(endpoint.endpointId, endpoint)
    if (endpoint.sandbox === undefined) return
    const inSandbox = this.#bySandbox.get(endpoint.sandbox) ?? new Set()
    this.#bySandbox.set(endpoint.sandbox, inSandbox.add(endpoint))
  }

  delete(endpointId: EndpointId): void {
    const endpoint = this.#endpoints.get(endpointId)
    this.#endpoints.delete(endpointId)
    if (endpoint?.sandbox === undefined) return
    const inSandbox = this.#bySandbox.get(endpoint.sandbox)
    inSandbox?.delete(endpoint)
    if (inSandbox?.size === 0) this.#bySandbox.delete(endpoint.sandbox)
  }

  /** Another endpoint of the container in the same cell. */
  sameCellNeighbour(
    sandbox: string,
    cells: readonly Cidr[],
    endpointId: EndpointId,
  ): LiveEndpoint | undefined {
    const others = [...(this.#bySandbox.get(sandbox) ?? [])]
    return others.find(
      (other) =>
        other.endpointId !== endpointId &&
        other.cells.some((theirs) => cells.some((cell) => cell.equals(theirs))),
    )
  }
}

/** None when the address is of a plan that is not there any more. */
function cellOf(plans: Plans, address: Ip): Cidr[] {
  const plan = planOf(plans, address.family)
  return plan === undefined ? [] : [cellAround(plan, address)]
}
