/** What became of a probe, in the words of the oracle, and what is wrong with a table. Pure. */
import { type Cell, judge, type Sentence } from './oracle.ts'
import type { Answer, Arrival } from './probe-agent.ts'

/** By which addresses places are known at the receiver. */
export interface Origin {
  readonly sources: readonly string[]
  readonly hostSources: readonly string[]
}

/** A cell with what was seen. */
export interface SeenCell extends Cell {
  readonly outcome: string
}

/** @param arrivals those of this probe at this receiver. */
export function outcomeOf(origin: Origin, answer: Answer, arrivals: readonly Arrival[]): string {
  if (arrivals.length === 0) {
    if (answer === 'nothing') return 'dropped'
    return answer === 'answered' ? 'answered by somebody else' : answer
  }
  const reached = [...new Set(arrivals.map(({ source }) => reachedAs(origin, source)))].join(', ')
  return answer === 'answered' ? reached : `${reached}, unanswered`
}

function reachedAs({ sources, hostSources }: Origin, source: string): string {
  if (sources.includes(source)) return 'reached'
  return hostSources.includes(source) ? 'reached as its host' : `wrong source ${source}`
}

/** "blue-web-1@h1 -> h2 tcp: expected dropped, was reached", sorted. Empty: all is as the sentences say. */
export function wrongCells(sentences: readonly Sentence[], cells: readonly SeenCell[]): string[] {
  return cells
    .flatMap((cell) => {
      const expected = judge(sentences, cell)
      return cell.outcome === expected
        ? []
        : [`${formatCell(cell)}: expected ${expected}, was ${cell.outcome}`]
    })
    .sort()
}

export function formatCell({ from, to, probe }: Cell): string {
  return `${from.name} -> ${to.name} ${probe}`
}

const MOST_LINES = 40

/** For people: the first lines, and how many more there are. */
export function shorten(lines: readonly string[]): string {
  const more = lines.length - MOST_LINES
  return [...lines.slice(0, MOST_LINES), ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}
