/** Calls that no engine makes in this order: made ones again, late, many at once, and for what was never there. */
import { expect } from 'vitest'
import { RomanaError } from '../../errors.ts'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import type { FaultyPlugin, MadeCall } from './faulty-plugin.ts'

export interface StrayWish {
  readonly kind: 'stray'
  /**
   * `again`: a call that was made already.
   * `other id`: the same for an endpoint or network that was never there.
   * `release`: an address given back that an endpoint got not long ago.
   */
  readonly what: 'again' | 'other id' | 'release'
  /** How many turns it waits, while others go on. */
  readonly turns: number
  /** Which call or endpoint, by number. */
  readonly which: number
  /** At the same moment. */
  readonly times: number
}

/** They end something, so that they are no error of the engine only when it has ended. */
const ENDING = ['Leave', 'DeleteEndpoint', 'RevokeExternalConnectivity', 'DeleteNetwork']
/** Each is a network more or one less, whoever asks. */
const COUNTED = ['RequestPool', 'ReleasePool']

/** Of so many endpoints most run. */
const RECENT = 6

export class StrayCalls {
  readonly #plugin: FaultyPlugin
  /** Endpoints and networks of which the engine knows nothing any more. */
  readonly #ended = new Set<string>()
  #lastId = 0

  constructor(plugin: FaultyPlugin) {
    this.#plugin = plugin
  }

  end(id: string): void {
    this.#ended.add(id)
  }

  /** It is refused with a text, or well; whether it did harm shows elsewhere. */
  async send({ what, turns, which, times }: StrayWish): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await undefined
    const call = what === 'release' ? this.#release(which) : this.#again(what, which)
    if (call === undefined) return
    for (const answer of await this.#plugin.callStray(call.method, call.body, times))
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(RomanaError)
  }

  #again(what: StrayWish['what'], which: number): MadeCall | undefined {
    const { calls } = this.#plugin
    const made = calls[which % Math.max(1, calls.length)]
    if (made === undefined || isOf(COUNTED, made)) return undefined
    if (what === 'other id') return this.#withOtherId(made)
    return this.#isHarmless(made) ? made : undefined
  }

  #release(which: number): MadeCall | undefined {
    const made = this.#plugin.calls.filter((call) => isOf(['CreateEndpoint'], call)).slice(-RECENT)
    const body = made[which % Math.max(1, made.length)]?.body
    if (body === undefined) return undefined
    const Address = textOf(fieldOf(body, 'Interface'), 'Address').replace(/\/\d+$/, '')
    return { method: 'IpamDriver.ReleaseAddress', body: { PoolID: '', Address } }
  }

  #withOtherId({ method, body }: MadeCall): MadeCall | undefined {
    const name = ['EndpointID', 'NetworkID'].find((field) => field in body)
    // That is a network like others, and nobody would remove it.
    if (name === undefined || method.endsWith('.CreateNetwork')) return undefined
    this.#lastId += 1
    return { method, body: { ...body, [name]: `x${this.#lastId}` } }
  }

  #isHarmless(made: MadeCall): boolean {
    const id = `${fieldOf(made.body, 'EndpointID') ?? fieldOf(made.body, 'NetworkID')}`
    if (isOf(ENDING, made)) return this.#ended.has(id)
    // Between Leave and DeleteEndpoint the engine moves the link that a Join would replace.
    const isLeaving = this.#plugin.calls.some(
      (call) => isOf(ENDING, call) && fieldOf(call.body, 'EndpointID') === id,
    )
    return !isOf(['Join'], made) || !isLeaving || this.#ended.has(id)
  }
}

function isOf(names: readonly string[], { method }: MadeCall): boolean {
  return names.some((name) => method.endsWith(`.${name}`))
}
