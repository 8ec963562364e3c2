/** Flows that the kernel lets pass, since it knows them, and that are forbidden by now: what may be left of them, and the cutting. */
import type { PolicyRecord } from '../store/policy-records.ts'
import {
  addChange,
  type CutParts,
  cutChangedFlows,
  cutFlows,
  isNoChange,
  NO_CHANGE,
  type PolicyChange,
} from './policies.ts'

/** Each cutting that fails is left for the next one. */
export class FlowCuts {
  #uncut: PolicyChange
  #mayHaveStrays: boolean

  /** A plugin that died between the rules and the flows has left some: all that a policy of these concerns is looked at. */
  constructor(policies: readonly PolicyRecord[], isRestored: boolean) {
    this.#uncut = { before: [], after: policies }
    this.#mayHaveStrays = isRestored
  }

  /** Adds it to those whose flows are not cut yet, and gives all of these. */
  addChange(change: PolicyChange): PolicyChange {
    this.#uncut = addChange(this.#uncut, change)
    return this.#uncut
  }

  /** Rules were written: without them forbidden flows may have begun. */
  rulesWritten(): void {
    this.#mayHaveStrays = true
  }

  /** What the changed policies forbid. Gives how many. @throws RomanaError E_COMMAND */
  async cutChanged(parts: CutParts): Promise<number> {
    const change = this.#uncut
    if (isNoChange(change)) return 0
    const count = await cutChangedFlows(parts, change)
    // Unless there was another change meanwhile.
    if (this.#uncut === change) this.#uncut = NO_CHANGE
    return count
  }

  /** Whatever is forbidden, if rules were written since the last time. Gives how many. @throws RomanaError E_COMMAND */
  async cutStrays(parts: () => Promise<CutParts>): Promise<number> {
    if (!this.#mayHaveStrays) return 0
    this.#mayHaveStrays = false
    try {
      return await cutFlows(await parts(), () => true)
    } catch (error) {
      this.#mayHaveStrays = true
      throw error
    }
  }
}
