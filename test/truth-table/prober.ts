/** Asks every pair of a table at once, and watches pairs that must not reach each other while something happens. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cell } from './oracle.ts'
import { formatCell, outcomeOf, type SeenCell } from './outcome.ts'
import { type Arrival, PROBES, type Probe, type TokenRange } from './probe-agent.ts'
import { cellsOf, type Station, type StationCell } from './station.ts'

/** Longer than a call that is sent anew, which is after 1 s. */
const PATIENCE_MS = 1_400
/** Tokens are ports: above those that are served, and below 2^16. Those of streams lie behind those of rounds. */
const ROUND_TOKENS: TokenRange = { first: 20_000, last: 59_999 }
const STREAM_TOKENS: TokenRange = { first: 60_000, last: 65_535 }

let tokens = 0

/** Another one each time: what the kernel remembers of an older flow decides on none of these. */
function nextToken({ first, last }: TokenRange): number {
  return first + (tokens++ % (last - first + 1))
}

/** All cells by these probes, by all without any. @param patienceMs how long what is sent may take, and its answer */
export async function probeTable(
  stations: readonly Station[],
  probes: readonly Probe[] = PROBES,
  patienceMs = PATIENCE_MS,
): Promise<SeenCell[]> {
  const cells = cellsOf(stations)
  const senders = stations.map((station) => {
    const own = cells.filter(({ from }) => from === station)
    const questions = own.flatMap((cell) => probes.map((probe) => ({ cell, probe })))
    return { station, questions, token: nextToken(ROUND_TOKENS) }
  })
  await readArrivals(stations, ROUND_TOKENS)
  await Promise.all(
    senders.map(({ station, token, questions }) => {
      const targets = questions.map(({ cell, probe }) => ({ probe, address: cell.to.address }))
      return station.agent.send(token, targets)
    }),
  )
  await sleep(patienceMs)
  const answers = await Promise.all(senders.map(({ station }) => station.agent.answers()))
  const arrivals = await readArrivals(stations, ROUND_TOKENS)
  return senders.flatMap(({ station, questions, token }, sender) =>
    questions.map(({ cell, probe }, index): SeenCell => {
      const answer = answers[sender]?.[index] ?? 'nothing'
      const outcome = outcomeOf(originOf(stations, station), answer, arrivals.take(cell, probe, token))
      return { from: cell.from, to: cell.to, probe: probe.name, outcome }
    }),
  )
}

function originOf(stations: readonly Station[], { sources, kind, host }: Station) {
  const own = stations.find((station) => station.kind === 'host' && station.host === host)
  return { sources, hostSources: kind === 'host' ? [] : (own?.sources ?? []) }
}

async function readArrivals(stations: readonly Station[], range: TokenRange) {
  const byKey = new Map<string, Arrival[]>()
  const keyOf = ({ name }: Station, token: number, probe: Probe) => `${name} ${token} ${probe.name}`
  await Promise.all(
    stations.map(async (station) => {
      for (const arrival of await station.agent.arrivals(range)) {
        const key = keyOf(station, arrival.token, arrival.probe)
        byKey.set(key, [...(byKey.get(key) ?? []), arrival])
      }
    }),
  )
  return {
    take: ({ at, to }: StationCell, probe: Probe, token: number) =>
      (byKey.get(keyOf(at, token, probe)) ?? []).filter(({ destination }) => destination === to.address),
  }
}

/** What watches pairs until it is ended. */
export interface Watch {
  /** A line for each pair of which something came through: "blue-web-1@h1 -> green-web-1@h1 udp: 12". */
  end(): Promise<string[]>
}

/** One of each protocol. */
const STREAMED = PROBES.filter(({ port }) => port !== 53)

/** Between whom something is watched. */
export interface Watched {
  readonly from: (station: Station) => boolean
  readonly to: (station: Station) => boolean
  readonly isForbidden: (cell: Cell) => boolean
}

/** Sends on and on, between those who must not reach each other. */
export async function watchForbidden(stations: readonly Station[], watched: Watched): Promise<Watch> {
  const forbidden = cellsOf(stations).flatMap((cell) =>
    watched.from(cell.from) && watched.to(cell.at)
      ? STREAMED.filter(({ name }) => watched.isForbidden({ ...cell, probe: name })).map((probe) => ({
          ...cell,
          probe,
        }))
      : [],
  )
  const senders = stations.filter(watched.from).map((station) => ({
    station,
    token: nextToken(STREAM_TOKENS),
    cells: forbidden.filter(({ from }) => from === station),
  }))
  await readArrivals(stations, STREAM_TOKENS)
  await Promise.all(
    senders.map(({ station, token, cells }) =>
      station.agent.stream(
        token,
        cells.map(({ probe, to: { address } }) => ({ probe, address })),
      ),
    ),
  )
  return {
    async end() {
      await Promise.all(senders.map(({ station }) => station.agent.stream(STREAM_TOKENS.first, [])))
      const arrivals = await readArrivals(stations, STREAM_TOKENS)
      return senders.flatMap(({ token, cells }) =>
        cells.flatMap((cell) => {
          const count = arrivals
            .take(cell, cell.probe, token)
            .reduce((sum, arrival) => sum + arrival.count, 0)
          return count === 0 ? [] : [`${formatCell({ ...cell, probe: cell.probe.name })}: ${count}`]
        }),
      )
    },
  }
}
