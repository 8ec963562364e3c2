/** Networks compared fairly: each round has one container on each of them, in random order. */
import type Dockerode from 'dockerode'
import { type Times, timeContainer } from './containers.ts'
import { type Spread, shuffled, spreadOf } from './statistics.ts'

/** What is compared: name in the report -> network of the engine. */
export type Variants = Readonly<Record<string, string>>

/** One round: name -> times. */
export type Round = ReadonlyMap<string, Times>

/** Milliseconds, and how many times as long. */
export interface Comparison {
  readonly variant: string
  readonly base: string
  readonly what: keyof Times
  readonly milliseconds: Spread
  /** Of `milliseconds` less those of the base in the same round. */
  readonly difference: Spread
  /** Of `milliseconds` divided by those of the base in the same round. */
  readonly ratio: Spread
}

/** @param warmUp rounds before, which are not counted */
export async function runRounds(
  engine: Dockerode,
  variants: Variants,
  { rounds, warmUp }: { readonly rounds: number; readonly warmUp: number },
): Promise<readonly Round[]> {
  const done: Round[] = []
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const times = new Map<string, Times>()
    for (const [name, network] of shuffled(Object.entries(variants))) {
      times.set(name, await timeContainer(engine, network))
    }
    if (round >= warmUp) done.push(times)
  }
  return done
}

/** Pure. @throws Error when a round lacks one of the two */
export function compare(
  rounds: readonly Round[],
  what: keyof Times,
  variant: string,
  base: string,
): Comparison {
  const pairs = rounds.map((round) => ({ a: timeOf(round, variant, what), b: timeOf(round, base, what) }))
  return {
    variant,
    base,
    what,
    milliseconds: spreadOf(pairs.map(({ a }) => a)),
    difference: spreadOf(pairs.map(({ a, b }) => a - b)),
    ratio: spreadOf(pairs.map(({ a, b }) => a / b)),
  }
}

function timeOf(round: Round, variant: string, what: keyof Times): number {
  const times = round.get(variant)
  if (times === undefined) throw new Error(`A round has no ${variant}`)
  return times[what]
}
