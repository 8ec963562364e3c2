/** What the calls of many containers, one after the other, come to. Pure. */
import type { Call } from './measured-socket.ts'
import { quantile } from './statistics.ts'

/** Milliseconds. */
export interface CallFigures {
  /** A method, or what is summed. */
  readonly name: string
  /** For each container. */
  readonly calls: number
  readonly p50: number
  readonly p99: number
}

/** The engine's first call for a container. */
const FIRST = 'IpamDriver.RequestAddress'
/** What the engine asks when a container goes. All else it asks when one starts. */
const AT_REMOVAL = [
  'NetworkDriver.RevokeExternalConnectivity',
  'NetworkDriver.Leave',
  'NetworkDriver.DeleteEndpoint',
  'IpamDriver.ReleaseAddress',
]

/** The sum of all calls of a start and of a removal, then each method. @param calls of whole containers, none interleaved */
export function figuresOf(calls: readonly Call[]): readonly CallFigures[] {
  const containers = split(calls)
  const atRemoval = ({ method }: Call) => AT_REMOVAL.includes(method)
  const methods = [...new Set(calls.map(({ method }) => method))]
  return [
    sum('all calls of a start', containers, (call) => !atRemoval(call)),
    sum('all calls of a removal', containers, atRemoval),
    ...methods.map((name) =>
      figures(
        name,
        containers.length,
        calls.filter(({ method }) => method === name),
      ),
    ),
  ]
}

function sum(
  name: string,
  containers: readonly (readonly Call[])[],
  belongs: (call: Call) => boolean,
): CallFigures {
  const sums = containers.map((calls) => calls.filter(belongs).reduce((total, { ms }) => total + ms, 0))
  const count = containers.flat().filter(belongs).length / containers.length
  return { name, calls: count, p50: quantile(sums, 0.5), p99: quantile(sums, 0.99) }
}

function figures(name: string, containers: number, calls: readonly Call[]): CallFigures {
  const times = calls.map(({ ms }) => ms)
  return { name, calls: calls.length / containers, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

function split(calls: readonly Call[]): readonly (readonly Call[])[] {
  const starts = calls.flatMap(({ method }, index) => (method === FIRST ? [index] : []))
  return starts.map((start, index) => calls.slice(start, starts[index + 1]))
}

/** The calls in the log lines that the plugin writes at the level debug and the engine keeps. */
export function callsInLog(log: string): readonly Call[] {
  return [...log.matchAll(/\\"method\\":\\"([\w.]+)\\",\\"ms\\":([\d.]+)/g)].map(([, method = '', ms]) => ({
    method,
    ms: Number(ms),
  }))
}
