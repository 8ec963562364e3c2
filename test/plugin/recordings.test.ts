/** The calls of three engines, recorded with another driver, and every answer of Romana to them, word by word. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import {
  type RecordedCall,
  type RecordedEvent,
  readRecording,
  recordings,
} from '../contract/docker-recording.ts'
import { RECORDED_PLAN, RECORDED_PLAN6, Translation } from '../contract/docker-translation.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, showEndpoints, startRomana, takenIn } from '../network-driver/romana-steps.ts'
import { errorText, makeApp, type PluginAnswer, sendTo } from './http-steps.ts'

/** An engine that moves links as the recorded one must have done. */
class Links {
  readonly #inContainers = new Map<string, string>()

  /** Containers whose endpoints are not named again were stopped while the plugin was away. */
  moveBackUnseen({ kernel }: Romana, later: readonly RecordedEvent[]): void {
    for (const [endpointId, link] of this.#inContainers) {
      if (later.some((event) => event.kind === 'call' && event.body.includes(endpointId))) continue
      this.#inContainers.delete(endpointId)
      kernel.leaveContainer(link)
    }
  }

  move({ kernel }: Romana, method: string, body: unknown, answer: unknown): void {
    const endpointId = `${fieldOf(body, 'EndpointID')}`
    if (method === 'NetworkDriver.Join') {
      const link = textOf(fieldOf(answer, 'InterfaceName'), 'SrcName')
      this.#inContainers.set(endpointId, link)
      kernel.enterContainer(link)
    }
    const link = this.#inContainers.get(endpointId)
    if (method === 'NetworkDriver.Leave' && link !== undefined) {
      this.#inContainers.delete(endpointId)
      kernel.leaveContainer(link)
    }
    if (method === 'NetworkDriver.DeleteEndpoint') this.#inContainers.delete(endpointId)
  }
}

/** How a recording is played: the body of each call, and who is told of the answers. */
interface Play {
  readonly bodyOf: (call: RecordedCall) => string
  readonly learn: (call: RecordedCall, given: unknown) => void
}

const AS_IT_IS: Play = { bodyOf: ({ body }) => body, learn: () => undefined }

function translated(): Play {
  const translation = new Translation()
  return {
    bodyOf: (call) => translation.translate(call),
    learn: (call, given) => translation.learn(call, given),
  }
}

interface Played {
  readonly romana: Romana
  /** What was noted, and each call with its answer. */
  readonly transcript: string
}

/** The drivers start again when the recorded one did. */
async function play(name: string, { bodyOf, learn }: Play): Promise<Played> {
  let romana = await startRomana({ plan: RECORDED_PLAN, plan6: RECORDED_PLAN6 })
  const lines: string[] = []
  const links = new Links()
  const events = readRecording(name)
  for (const [index, event] of events.entries()) {
    if (event.kind === 'note') lines.push(`# ${event.text}`)
    else if (event.kind === 'start') {
      links.moveBackUnseen(romana, events.slice(index))
      romana = await startRomana(romana)
    } else {
      const body = bodyOf(event)
      const given = await send(romana, { ...event, body })
      lines.push(`${event.method}${isSentAgain(event) ? ' sent again' : ''}\n  ${errorText(given)}`)
      if (given.status !== 200 || body === '') continue
      learn(event, given.body)
      links.move(romana, event.method, JSON.parse(body), given.body)
    }
  }
  return { romana, transcript: `${lines.join('\n')}\n`.replaceAll(/\b([0-9a-f]{6})[0-9a-f]{58}\b/g, '$1') }
}

function send({ drivers }: Romana, { method, body }: RecordedCall): Promise<PluginAnswer> {
  return sendTo(makeApp(async () => drivers))({ path: `/${method}`, body })
}

/** A call that has arguments, without them: the engine's first try broke off. */
function isSentAgain({ method, body }: RecordedCall): boolean {
  return body === '' && !/Activate|GetCapabilities|GetDefaultAddressSpaces/.test(method)
}

function golden(name: string): string {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')
}

it('there are recordings of three engines', () => {
  expect(recordings().join(' ')).toBe(
    'docker-20.10-managed docker-20.10-run docker-20.10-swarm docker-28-run docker-29-managed docker-29-run docker-29-swarm',
  )
})

/** Networks, taken addresses and links. */
async function leftIn(romana: Romana): Promise<string> {
  const networks = await keysOf(romana.journal, '/networks/')
  return [networks, await takenIn(romana), showEndpoints(romana)].filter((text) => text !== '').join('; ')
}

/** A host without a network of ours. */
const EMPTY = /^((ip6?tables -t filter -P FORWARD DROP|net\.\S+ = 1)(\n|$))*$/

describe.each(recordings())('the calls of %s', (name) => {
  it('made for another driver have these answers, and leave nothing', async () => {
    const { transcript, romana } = await play(name, AS_IT_IS)
    expect(transcript).toBe(golden(`${name}.strange`))
    expect(await leftIn(romana)).toBe('')
    expect(romana.kernel.show()).toMatch(EMPTY)
  })

  it('made for Romana have these answers', async () => {
    const { transcript } = await play(name, translated())
    expect(transcript).toBe(golden(`${name}.answers`))
  })
})

describe('made for Romana, the calls of', () => {
  it.each(recordings().filter((name) => name !== 'docker-29-managed'))('%s leave nothing', async (name) => {
    const { romana } = await play(name, translated())
    expect(await leftIn(romana)).toBe('')
    expect(romana.kernel.show()).toMatch(EMPTY)
  })

  it('docker-29-managed leave the network whose removal came while the plugin was away', async () => {
    const { romana } = await play('docker-29-managed', translated())
    expect(await leftIn(romana)).toMatch(/^\/networks\/5e7d\w+$/)
  })
})
