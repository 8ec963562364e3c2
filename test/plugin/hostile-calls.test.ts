/** Calls for what is not there, many at once, and out of order: an error with a text or a success, and nothing is harmed. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { METHODS } from '../../plugin/methods.ts'
import { type BusyHost, startBusy, stateOf } from './busy-host.ts'
import { errorText, type PluginAnswer } from './http-steps.ts'
import { LIFE, METHOD_NAMES, type ProtocolCall, STRANGERS } from './protocol-calls.ts'

function send({ send: sendTo }: BusyHost, { method, body }: ProtocolCall): Promise<PluginAnswer> {
  return sendTo({ path: `/${method}`, body: body === undefined ? '' : JSON.stringify(body) })
}

async function answerOf(host: BusyHost, call: ProtocolCall): Promise<string> {
  return errorText(await send(host, call))
}

it('the calls of a life are of all methods of the protocol, two of which are for managers of a swarm only', () => {
  const swarm = ['NetworkDriver.AllocateNetwork', 'NetworkDriver.FreeNetwork']
  expect(METHOD_NAMES.toSorted()).toEqual([...Object.keys(METHODS), ...swarm].toSorted())
})

describe('a call for what was never there', () => {
  it('is there for every method that names something', () => {
    const named = LIFE.filter(({ body }) => body !== undefined && JSON.stringify(body).includes('ID"'))
    const methods = new Set(STRANGERS.map(([{ method }]) => method))
    expect([...new Set(named.map(({ method }) => method))].filter((method) => !methods.has(method))).toEqual(
      [],
    )
  })

  it.each(STRANGERS)('%j is answered with "%s", and changes nothing', async (call, answer) => {
    const host = await startBusy()
    const before = await stateOf(host)
    expect(await answerOf(host, call)).toBe(answer)
    expect(await stateOf(host)).toBe(before)
  })
})

/** A host on which a life has come so far that this call is next. */
async function liveUntil(index: number): Promise<BusyHost> {
  const host = await startBusy()
  for (const call of LIFE.slice(0, index)) await send(host, call)
  return host
}

/** What only the first of many is given: whoever comes later is told why not. */
const TAKEN =
  '500 Cannot give out the address 10.1.33.2: it is in use. Choose another one, or none (E_ADDRESS_TAKEN)'

describe('a call of a life', () => {
  it.each(LIFE.map((call, index) => [`${index} ${call.method}`, index, call] as const))(
    '%s, ten times at once, leaves what one leaves',
    async (_name, index, call) => {
      const [once, often] = [await liveUntil(index), await liveUntil(index)]
      const answer = await answerOf(once, call)
      const answers = await Promise.all(Array.from({ length: 10 }, () => answerOf(often, call)))
      const isOfOne = call.method === 'IpamDriver.RequestAddress' && !answer.includes('10.1.33.1')
      expect(answers.toSorted()).toEqual([
        answer,
        ...Array.from({ length: 9 }, () => (isOfOne ? TAKEN : answer)),
      ])
      // Each request for a pool is a network more: nothing tells it from the one before.
      const state = (await stateOf(often)).replace('"uses":10', '"uses":1')
      expect(state).toBe(await stateOf(once))
    },
  )

  it('was answered well but for the two of swarms', async () => {
    const host = await startBusy()
    const answers: string[] = []
    for (const call of LIFE) answers.push(`${call.method} ${(await send(host, call)).status}`)
    expect(answers.filter((line) => !line.endsWith(' 200'))).toEqual([
      'NetworkDriver.AllocateNetwork 404',
      'NetworkDriver.FreeNetwork 404',
    ])
  })
})

/** How an engine ends a life, wherever it was. */
const END = LIFE.slice(LIFE.findIndex(({ method }) => method === 'NetworkDriver.RevokeExternalConnectivity'))

function withoutResting(state: string): string {
  return state.replaceAll(/.*"state":"resting".*\n/g, '')
}

/** Lines of endpoint e0. */
function lineOfBusy(state: string): string {
  return state
    .split('\n')
    .filter((line) => /\be0\b|10\.1\.17\.2\b|rmne1\b/.test(line))
    .join('\n')
}

it('calls in any order, at once or not: a refused one changes nothing, others are not harmed, and the end leaves nothing', async () => {
  const order = fc.array(fc.array(fc.constantFrom(...LIFE), { minLength: 1, maxLength: 4 }), {
    maxLength: 25,
  })
  const property = fc.asyncProperty(order, async (steps) => {
    const host = await startBusy()
    const start = await stateOf(host)
    for (const calls of steps) {
      const before = await stateOf(host)
      const answers = await Promise.all(calls.map((call) => answerOf(host, call)))
      for (const answer of answers) expect(answer).toMatch(/^200 |^(404|500) .*\(E_(?!INTERNAL)\w+\)$/)
      const after = await stateOf(host)
      if (answers.every((answer) => !answer.startsWith('200'))) expect(after).toBe(before)
      expect(lineOfBusy(after)).toBe(lineOfBusy(start))
    }
    // The engine releases a pool as often as it has requested it.
    for (const _ of ['the last', ...steps.flat().filter(({ method }) => method === 'IpamDriver.RequestPool')])
      for (const call of END) await send(host, call)
    expect(withoutResting(await stateOf(host))).toBe(start)
  })
  await fc.assert(property, { numRuns: 150 })
})
