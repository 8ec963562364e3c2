import { describe, expect, it } from 'vitest'
import { fieldOf, textOf } from '../contract/docker-answers.ts'
import {
  type RecordedCall,
  type RecordedEvent,
  readRecording,
  recordings,
} from '../contract/docker-recording.ts'
import { Translation } from '../contract/docker-translation.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { type Romana, showEndpoints, startRomana, takenIn } from '../network-driver/romana-steps.ts'
import { makeApp, type PluginAnswer, sendTo } from './http-steps.ts'

/** "NetworkDriver.Join 200", or with the code of the error; a call that was sent again is told from others. */
function outcomeOf({ method, body }: RecordedCall, { status, body: answer }: PluginAnswer): string {
  const code = /\((E_\w+)\)$/.exec(`${fieldOf(answer, 'Error')}`)?.[1] ?? status
  return `${method}${body === '' ? ' sent again' : ''} ${code}`
}

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

function send({ drivers }: Romana, { method, body }: RecordedCall): Promise<PluginAnswer> {
  return sendTo(makeApp(async () => drivers))({ path: `/${method}`, body })
}

/** Plays a recording as it is. The drivers start again when the recorded one did. */
async function play(name: string): Promise<string[]> {
  let romana = await startRomana()
  const outcomes: string[] = []
  for (const event of readRecording(name)) {
    if (event.kind === 'start') romana = await startRomana(romana)
    else outcomes.push(outcomeOf(event, await send(romana, event)))
  }
  return outcomes
}

/** Plays it as if it were for Romana. */
async function playTranslated(name: string): Promise<{ romana: Romana; outcomes: string[] }> {
  let romana = await startRomana()
  const outcomes: string[] = []
  const translation = new Translation()
  const links = new Links()
  const events = readRecording(name)
  for (const [index, event] of events.entries()) {
    if (event.kind === 'start') {
      links.moveBackUnseen(romana, events.slice(index))
      romana = await startRomana(romana)
    } else {
      const body = translation.translate(event)
      if (body === undefined) continue
      const given = await send(romana, { ...event, body })
      outcomes.push(outcomeOf(event, given))
      if (given.status !== 200 || body === '') continue
      translation.learn(event, given.body)
      links.move(romana, event.method, JSON.parse(body), given.body)
    }
  }
  return { romana, outcomes }
}

function refusals(outcomes: readonly string[]): string[] {
  return outcomes.filter((outcome) => !outcome.endsWith(' 200'))
}

/** Refusals that tell the engine's user what is the matter, and calls that nobody can make sense of. */
const CLEAR = [
  'IpamDriver.ReleasePool E_POOL_UNKNOWN',
  'IpamDriver.RequestAddress E_POOL_UNKNOWN',
  'IpamDriver.RequestPool E_OPTION',
  'IpamDriver.RequestPool E_SUBNET',
  'NetworkDriver.CreateEndpoint E_NETWORK_UNKNOWN',
  'NetworkDriver.CreateEndpoint E_OPTION',
  'NetworkDriver.CreateNetwork E_IPAM_PAIR',
  'NetworkDriver.CreateNetwork sent again E_REQUEST',
  'NetworkDriver.Join E_NETWORK_UNKNOWN',
  'NetworkDriver.Join sent again E_REQUEST',
  'NetworkDriver.ProgramExternalConnectivity E_ENDPOINT_UNKNOWN',
]

it('there are recordings of three engines', () => {
  expect(recordings().join(' ')).toBe(
    'docker-20.10-managed docker-20.10-run docker-20.10-swarm docker-28-run docker-29-managed docker-29-run docker-29-swarm',
  )
})

describe('the calls of', () => {
  it.each(recordings())(
    '%s, made for another driver, are answered with 200 or a clear refusal',
    async (name) => {
      const outcomes = await play(name)
      expect(outcomes.length).toBeGreaterThan(25)
      expect(refusals(outcomes).filter((outcome) => !CLEAR.includes(outcome))).toEqual([])
    },
  )

  const pair = 'NetworkDriver.CreateNetwork E_IPAM_PAIR'
  const joins = Array.from({ length: 4 }, () => 'NetworkDriver.Join sent again E_REQUEST')
  const creates = Array.from({ length: 3 }, () => 'NetworkDriver.CreateNetwork sent again E_REQUEST')
  it.each([
    ['docker-20.10-run', [pair]],
    ['docker-28-run', [pair]],
    ['docker-29-run', [pair]],
    ['docker-20.10-swarm', []],
    ['docker-29-swarm', []],
    ['docker-20.10-managed', [...joins, pair, ...creates, pair]],
  ])('%s, translated for Romana, go well but for networks of another IPAM driver', async (name, refused) => {
    const { romana, outcomes } = await playTranslated(name)
    expect(refusals(outcomes)).toEqual(refused)
    expect(await takenIn(romana)).toBe('')
    expect(await keysOf(romana.journal, '/networks/')).toBe('')
    expect(romana.kernel.show()).toBe('iptables -t filter -P FORWARD DROP\nnet.ipv4.ip_forward = 1')
  })

  it('docker-29-managed, translated for Romana, leave the network whose removal came while the plugin was away', async () => {
    const { romana, outcomes } = await playTranslated('docker-29-managed')
    expect(refusals(outcomes)).toEqual([...joins, pair, pair])
    expect(await takenIn(romana)).toBe('10.1.17.2 auxiliary')
    expect(await keysOf(romana.journal, '/networks/')).toMatch(/^\/networks\/5e7d\w+$/)
    expect(showEndpoints(romana)).toBe('')
  })
})
