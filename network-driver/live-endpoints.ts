/** The endpoints that have links, in memory: what a Join must know without asking the kernel or reading every record. */
import type { AddressPlan } from '../address/address-plan.ts'
import type { Cidr } from '../address/cidr.ts'
import { cellAround } from '../address/prefixes.ts'
import type { EndpointId } from '../store/ids.ts'
import type { EndpointRecord } from '../store/records.ts'

export interface LiveEndpoint {
  readonly endpointId: EndpointId
  readonly cell: Cidr
  /** The container's namespace, as the engine names it. Unknown for an endpoint adopted from its link. */
  readonly sandbox?: string | undefined
}

export class LiveEndpoints {
  readonly #endpoints = new Map<EndpointId, LiveEndpoint>()
  readonly #bySandbox = new Map<string, Set<LiveEndpoint>>()

  /** @param endpoints whose links were seen: those that are gone were buried just before. */
  static of(plan: AddressPlan, endpoints: readonly EndpointRecord[]): LiveEndpoints {
    const live = new LiveEndpoints()
    for (const { endpointId, address, sandbox, joined } of endpoints) {
      if (joined) live.add({ endpointId, cell: cellAround(plan, address), sandbox })
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
  sameCellNeighbour(sandbox: string, cell: Cidr, endpointId: EndpointId): LiveEndpoint | undefined {
    const others = [...(this.#bySandbox.get(sandbox) ?? [])]
    return others.find((other) => other.endpointId !== endpointId && other.cell.equals(cell))
  }
}
