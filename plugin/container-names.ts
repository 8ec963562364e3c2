/** The names that containers have, as far as the engine was asked. */
import type { ContainerName, ContainerOf } from '../cluster/mirror-copies.ts'

/** Which container has which endpoint, as the engine said last. */
export class ContainerNames {
  #names: ReadonlyMap<string, ContainerName> = new Map()
  /** Told of the endpoints whose container has become known or was renamed. */
  onLearnt: (endpointIds: readonly string[]) => void = () => undefined

  readonly containerOf: ContainerOf = (endpointId) => this.#names.get(endpointId)

  learn(names: ReadonlyMap<string, ContainerName>): void {
    const before = this.#names
    this.#names = names
    const learnt = [...names].filter(([id, { name }]) => before.get(id)?.name !== name).map(([id]) => id)
    if (learnt.length > 0) this.onLearnt(learnt)
  }
}
