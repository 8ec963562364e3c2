/** How answers and arrivals become an outcome, and how a wrong table is told. */
import { describe, expect, it } from 'vitest'
import { SENTENCES, type Sentence } from './oracle.ts'
import { outcomeOf, type SeenCell, shorten, wrongCells } from './outcome.ts'
import type { Place } from './place.ts'
import { type Arrival, PROBES } from './probe-agent.ts'

const ORIGIN = { sources: ['10.1.17.2'], hostSources: ['198.18.1.11'] }

describe('an outcome', () => {
  it.for([
    ['answered', '10.1.17.2', 'reached'],
    ['answered', '198.18.1.11', 'reached as its host'],
    ['answered', '10.1.17.9', 'wrong source 10.1.17.9'],
    ['nothing', '10.1.17.2', 'reached, unanswered'],
    ['refused', '10.1.17.2', 'reached, unanswered'],
    ['nothing', '', 'dropped'],
    ['refused', '', 'refused'],
    ['unroutable', '', 'unroutable'],
    ['answered', '', 'answered by somebody else'],
    ['error (Operation not permitted)', '', 'error (Operation not permitted)'],
  ] as const)('%s, and seen at the receiver as "%s": %s', ([answer, source, outcome]) => {
    expect(outcomeOf(ORIGIN, answer, source === '' ? [] : [arrivalFrom(source)])).toBe(outcome)
  })

  it('of a probe that came as two senders says both', () => {
    const arrivals = ['10.1.17.2', '10.1.17.9'].map(arrivalFrom)
    expect(outcomeOf(ORIGIN, 'answered', arrivals)).toBe('reached, wrong source 10.1.17.9')
  })
})

describe('a table', () => {
  const [web1, web2] = ['web-1', 'web-2'].map((name) => container(name, 'blue-web'))
  const db = container('db-1', 'blue-db')
  const right = [cell(web1, web2, 'reached'), cell(web1, db, 'dropped')]

  it('that is as the sentences say has nothing wrong', () => {
    expect(wrongCells(SENTENCES, right)).toEqual([])
  })

  it('with a leak and a loss tells both', () => {
    expect(wrongCells(SENTENCES, [cell(web1, db, 'reached'), cell(web1, web2, 'dropped')])).toEqual([
      'web-1@h1 -> db-1@h1 tcp: expected dropped, was reached',
      'web-1@h1 -> web-2@h1 tcp: expected reached, was dropped',
    ])
  })

  it('is wrong by a wrong oracle', () => {
    const open: Sentence = { says: 'everybody reaches everybody', judge: () => 'reached' }
    expect(wrongCells([open, ...SENTENCES], right)).toEqual([
      'web-1@h1 -> db-1@h1 tcp: expected reached, was dropped',
    ])
  })

  it('of which no sentence speaks is an error', () => {
    expect(() => wrongCells([], right)).toThrow('No sentence speaks of web-1@h1 -> web-2@h1 tcp')
  })

  it('with many wrong cells tells how many', () => {
    const lines = Array.from({ length: 43 }, (_, index) => `line ${index}`)
    expect(shorten(lines).split('\n').slice(39)).toEqual(['line 39', 'and 3 more'])
  })
})

function arrivalFrom(source: string): Arrival {
  return { probe: PROBES[0], source, token: 20_000, destination: '10.1.17.3', count: 1 }
}

function container(name: string, network: string): Place {
  return { name: `${name}@h1`, kind: 'container', host: 'h1', network: { name: network, internal: false } }
}

function cell(from: Place | undefined, place: Place | undefined, outcome: string): SeenCell {
  if (from === undefined || place === undefined) throw new Error('No place')
  return { from, to: { name: place.name, place }, probe: 'tcp', outcome }
}
