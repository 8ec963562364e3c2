/** A place of a running lab: its addresses, and the agent that sends and receives there. */
import type { Door, Place } from './place.ts'
import type { ProbeAgent } from './probe-agent.ts'

export interface StationDoor extends Door {
  readonly address: string
}

export interface Station extends Place {
  readonly agent: ProbeAgent
  /** By which it is called. */
  readonly doors: readonly StationDoor[]
  /** With which it sends, of both families. */
  readonly sources: readonly string[]
}

/** One question, and who is asked. */
export interface StationCell {
  readonly from: Station
  readonly at: Station
  readonly to: StationDoor
}

/** All ordered pairs, over the families that both have. */
export function cellsOf(stations: readonly Station[]): StationCell[] {
  return stations.flatMap((from) =>
    stations.flatMap((at) =>
      at === from
        ? []
        : at.doors.filter((to) => isAskable(from, to)).map((to): StationCell => ({ from, at, to })),
    ),
  )
}

function isAskable(from: Station, to: StationDoor): boolean {
  return from.sources.some((source) => isIpv6(source) === isIpv6(to.address))
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}
