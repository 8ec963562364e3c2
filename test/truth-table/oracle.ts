/**
 * What must be: the words of the documentation, a sentence each. The first that speaks of a cell decides. It knows names
 * only, and shares nothing with what computes addresses, routes and rules. A policy is one more sentence, before those it limits.
 */
import type { Door, Place } from './place.ts'
import type { ProbeName } from './probe-agent.ts'

/** One question: may this place call that one, by this probe? */
export interface Cell {
  readonly from: Place
  readonly to: Door
  readonly probe: ProbeName
}

/**
 * `reached`: with the sender's own address, and answered. `reached as its host`: with the address of the sender's host.
 * `dropped`: nothing comes, nothing comes back. `unroutable`: the sender itself knows no way.
 */
export type Verdict = 'reached' | 'reached as its host' | 'dropped' | 'unroutable'

export interface Sentence {
  readonly says: string
  /** Undefined when it does not speak of this cell. */
  readonly judge: (cell: Cell) => Verdict | undefined
}

/** @throws Error when no sentence speaks of the cell */
export function judge(sentences: readonly Sentence[], cell: Cell): Verdict {
  for (const sentence of sentences) {
    const verdict = sentence.judge(cell)
    if (verdict !== undefined) return verdict
  }
  throw new Error(`No sentence speaks of ${cell.from.name} -> ${cell.to.name} ${cell.probe}`)
}

/** A sentence with one verdict for all it speaks of. */
function say(says: string, verdict: Verdict, speaksOf: (cell: Cell) => boolean): Sentence {
  return { says, judge: (cell) => (speaksOf(cell) ? verdict : undefined) }
}

const isContainer = ({ kind }: Place) => kind === 'container'
const isInternal = ({ network }: Place) => network?.internal === true
const isOnOneHost = ({ from, to }: Cell) => from.host !== undefined && from.host === to.place.host
const isInOneNetwork = ({ from, to }: Cell) =>
  from.kind === to.place.kind && from.network !== undefined && from.network.name === to.place.network?.name
const isFromMachine = ({ from }: Cell) => ['host', 'outsider', 'outside'].includes(from.kind)
const isToMachine = ({ to }: Cell) => ['host', 'outsider', 'outside'].includes(to.place.kind)
/** Not by the address that it has as a gateway of Romana's. */
const isOfHost = ({ from, to }: Cell) =>
  to.place.kind === 'host' && to.gatewayOf === undefined && !isInternal(from)
const isPing = ({ probe }: Cell) => probe === 'icmp'
const isDns = ({ probe }: Cell) => probe === 'dns' || probe === 'dns-tcp'

const OF_SEGMENTS: readonly Sentence[] = [
  say(
    'a container reaches those of its segment, on every host',
    'reached',
    (cell) => isContainer(cell.from) && isInOneNetwork(cell),
  ),
  say(
    'a container on an internal network knows no way but to its segment and its gateway',
    'unroutable',
    ({ from, to }) => isContainer(from) && isInternal(from) && to.gatewayOf !== from.network?.name,
  ),
  say(
    'a container reaches no container of another segment or tenant',
    'dropped',
    ({ from, to }) => isContainer(from) && isContainer(to.place),
  ),
]

const OF_HOSTS: readonly Sentence[] = [
  say(
    'a container may ping its own host, and ask it for names if its network is not internal',
    'reached',
    (cell) =>
      isContainer(cell.from) &&
      cell.to.place.kind === 'host' &&
      isOnOneHost(cell) &&
      (isPing(cell) || (isDns(cell) && !isInternal(cell.from))),
  ),
  say(
    'a container reaches no other service of its host, and nothing of other hosts',
    'dropped',
    ({ from, to }) => isContainer(from) && to.place.kind === 'host',
  ),
  say(
    'a host reaches its own containers, and itself',
    'reached',
    (cell) => cell.from.kind === 'host' && isOnOneHost(cell),
  ),
  say(
    'the host answers to a plan address for its own containers only',
    'dropped',
    ({ to }) => to.gatewayOf !== undefined,
  ),
]

const OF_BRIDGES: readonly Sentence[] = [
  say(
    'a container on a bridge of Docker reaches those of its bridge and its host',
    'reached',
    (cell) => cell.from.kind === 'bridge' && isOnOneHost(cell) && (isInOneNetwork(cell) || isOfHost(cell)),
  ),
  say(
    'an internal bridge has no way out',
    'unroutable',
    ({ from }) => from.kind === 'bridge' && isInternal(from),
  ),
]

const OF_OUTSIDE: readonly Sentence[] = [
  say(
    'a container reaches the world outside, with the address of its host',
    'reached as its host',
    ({ from, to }) => isContainer(from) && ['outside', 'outsider'].includes(to.place.kind),
  ),
  say('nobody outside a segment reaches a container', 'dropped', ({ to }) => isContainer(to.place)),
]

const OF_DOCKER: readonly Sentence[] = [
  say(
    'a container on a bridge reaches the world outside, and other hosts, with the address of its host',
    'reached as its host',
    (cell) => cell.from.kind === 'bridge' && isToMachine(cell),
  ),
  say('a bridge is closed to all who are not on it', 'dropped', ({ to }) => to.place.kind === 'bridge'),
]

const OF_MACHINES: readonly Sentence[] = [
  say('machines reach each other', 'reached', (cell) => isFromMachine(cell) && isToMachine(cell)),
]

export const SENTENCES: readonly Sentence[] = [
  ...OF_SEGMENTS,
  ...OF_BRIDGES,
  ...OF_HOSTS,
  ...OF_OUTSIDE,
  ...OF_DOCKER,
  ...OF_MACHINES,
]
