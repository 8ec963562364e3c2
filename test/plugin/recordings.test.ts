import { describe, expect, it } from 'vitest'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import { type RecordedEvent, readRecording, recordings } from '../contract/docker-recording.ts'
import { Translation } from '../contract/docker-translation.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, startRomana, takenIn } from '../network-driver/romana-steps.ts'
import { makeApp, type PluginAnswer, sendTo } from './http-steps.ts'

/** "200", or the code of the error. */
function outcomeOf({ status, body }: PluginAnswer): string {
  return /\((E_\w+)\)$/.exec(`${fieldOf(body, 'Error')}`)?.[1] ?? String(status)
}

/** A plugin that starts again when the recorded one did, and an engine that moves links as the recorded one must have. */
class Replay {
  romana: Romana
  readonly #translation = new Translation()
  readonly #links = new Map<string, string>()

  constructor(romana: Romana) {
    this.romana = romana
  }

  /** "NetworkDriver.Join 200", or undefined for what is not replayed. */
  async take(event: RecordedEvent, translates: boolean): Promise<string | undefined> {
    if (event.kind === 'start') {
      this.romana = await startRomana(this.romana)
      return undefined
    }
    const { method } = event
    const recorded = event.body === '' ? undefined : JSON.parse(event.body)
    const body =
      translates && recorded !== undefined ? this.#translation.translate(method, recorded) : recorded
    if (body === undefined && recorded !== undefined) return undefined
    const given = await this.#send(method, body === undefined ? '' : JSON.stringify(body))
    if (given.status === 200 && translates) {
      if (event.answer !== '')
        this.#translation.learn(method, recorded, { recorded: JSON.parse(event.answer), given: given.body })
      this.#moveLink(method, recorded, given.body)
    }
    return `${method} ${outcomeOf(given)}`
  }

  #send(method: string, body: string): Promise<PluginAnswer> {
    const { drivers } = this.romana
    return sendTo(makeApp(async () => drivers))({ path: `/${method}`, body })
  }

  #moveLink(method: string, body: unknown, answer: unknown): void {
    const { kernel } = this.romana
    const endpointId = `${fieldOf(body, 'EndpointID')}`
    if (method === 'NetworkDriver.Join') {
      const link = textOf(fieldOf(answer, 'InterfaceName'), 'SrcName')
      this.#links.set(endpointId, link)
      kernel.enterContainer(link)
    }
    const link = this.#links.get(endpointId)
    if (method === 'NetworkDriver.Leave' && link !== undefined) {
      this.#links.delete(endpointId)
      kernel.leaveContainer(link)
    }
  }
}

/** The outcomes other than 200, in order. */
async function refusalsOf(replay: Replay, name: string, translates: boolean): Promise<string[]> {
  const outcomes = []
  for (const event of readRecording(name)) outcomes.push(await replay.take(event, translates))
  return outcomes.filter((outcome) => outcome !== undefined).filter((outcome) => !outcome.endsWith(' 200'))
}

it('there are recordings of three engines', () => {
  expect(recordings().join(' ')).toBe(
    'docker-20.10-managed docker-20.10-run docker-20.10-swarm docker-28-run docker-29-managed docker-29-run docker-29-swarm',
  )
})

describe.each(recordings())('the calls of %s', (name) => {
  it('are all understood, as they are', async () => {
    const replay = new Replay(await startRomana())
    const refusals = await refusalsOf(replay, name, false)
    const codes = refusals.map((refusal) => refusal.replace(/^\S+ /, ''))
    expect([...new Set(codes)].toSorted().join(' ')).toBe('')
  })

  it('are all answered well, once they are for Romana', async () => {
    const replay = new Replay(await startRomana())
    const refusals = await refusalsOf(replay, name, true)
    expect(refusals.join('\n')).toBe('')
    expect(await takenIn(replay.romana)).toBe('')
    expect(await keysOf(replay.romana.journal)).toBe('')
    expect(replay.romana.kernel.show()).toBe('')
  })
})
