/** The oracle's sentences, on the places of two hosts. */
import { describe, expect, it } from 'vitest'
import { judge, SENTENCES } from './oracle.ts'
import type { Door, Place } from './place.ts'
import { PROBES } from './probe-agent.ts'

const PLACES: readonly Place[] = ['h1', 'h2'].flatMap((host): Place[] => [
  { name: host, kind: 'host', host },
  on(host, 'container', 'blue-web'),
  on(host, 'container', 'blue-db'),
  on(host, 'container', 'green-web'),
  on(host, 'container', 'vault', true),
  on(host, 'bridge', 'lan'),
  on(host, 'bridge', 'cellar', true),
])
const MACHINES: readonly Place[] = [
  { name: 'outsider', kind: 'outsider' },
  { name: 'outside', kind: 'outside' },
]
const DOORS: readonly Door[] = [
  ...[...PLACES, ...MACHINES].map((place) => ({ name: place.name, place })),
  ...PLACES.filter(({ kind }) => kind === 'host').flatMap((place) =>
    ['blue-web', 'vault'].map((gatewayOf) => ({ name: `${place.name} by ${gatewayOf}`, place, gatewayOf })),
  ),
]

describe('by the documentation', () => {
  it('a container of a segment reaches', () => {
    expect(reachedBy('blue-web@h1')).toEqual([
      'h1: icmp dns-tcp dns',
      'blue-web@h2: all',
      'outsider: all as its host',
      'outside: all as its host',
      'h1 by blue-web: icmp dns-tcp dns',
      'h1 by vault: icmp dns-tcp dns',
    ])
  })

  it('a container of an internal network reaches', () => {
    expect(reachedBy('vault@h1')).toEqual(['vault@h2: all', 'h1 by vault: icmp'])
  })

  it('a container of a bridge reaches', () => {
    expect(reachedBy('lan@h1')).toEqual([
      'h1: all',
      'h2: all as its host',
      'outsider: all as its host',
      'outside: all as its host',
    ])
  })

  it('a container of an internal bridge reaches nobody', () => {
    expect(reachedBy('cellar@h1')).toEqual([])
  })

  it('a host reaches its own containers and other machines', () => {
    expect(reachedBy('h1')).toEqual([
      'blue-web@h1: all',
      'blue-db@h1: all',
      'green-web@h1: all',
      'vault@h1: all',
      'lan@h1: all',
      'cellar@h1: all',
      'h2: all',
      'outsider: all',
      'outside: all',
      'h1 by blue-web: all',
      'h1 by vault: all',
    ])
  })

  it.for(['outsider', 'outside'])('the %s reaches machines only', (name) => {
    const others = ['outsider', 'outside'].filter((other) => other !== name)
    expect(reachedBy(name)).toEqual(['h1: all', 'h2: all', ...others.map((other) => `${other}: all`)])
  })

  it('a sentence that limits comes first', () => {
    const noDns = {
      says: 'nobody asks for names',
      judge: ({ probe }: { probe: string }) => (probe.startsWith('dns') ? ('dropped' as const) : undefined),
    }
    const cell = { from: placeNamed('blue-web@h1'), to: doorNamed('blue-web@h2') }
    expect(judge([noDns, ...SENTENCES], { ...cell, probe: 'dns' })).toBe('dropped')
    expect(judge([noDns, ...SENTENCES], { ...cell, probe: 'tcp' })).toBe('reached')
  })
})

function on(host: string, kind: 'container' | 'bridge', name: string, internal = false): Place {
  return { name: `${name}@${host}`, kind, host, network: { name, internal } }
}

function placeNamed(name: string): Place {
  return doorNamed(name).place
}

function doorNamed(name: string): Door {
  const door = DOORS.find((candidate) => candidate.name === name)
  if (door === undefined) throw new Error(`There is no "${name}"`)
  return door
}

/** "h1: icmp dns", and "all" for all probes. */
function reachedBy(name: string): string[] {
  return DOORS.filter((to) => to.name !== name).flatMap((to) => {
    const verdicts = PROBES.map((probe) => ({
      name: probe.name,
      verdict: judge(SENTENCES, { from: placeNamed(name), to, probe: probe.name }),
    }))
    const reached = verdicts.filter(({ verdict }) => verdict.startsWith('reached'))
    const probes = reached.length === PROBES.length ? 'all' : reached.map((each) => each.name).join(' ')
    const as = reached[0]?.verdict.replace('reached', '') ?? ''
    return reached.length === 0 ? [] : [`${to.name}: ${probes}${as}`]
  })
}
