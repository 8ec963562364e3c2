/** The few figures that say how a measurement went. Pure. */

/** Where the values of a measurement lie, in the unit of the values. */
export interface Spread {
  readonly median: number
  /** First and third quartile: half of all values lie between them. */
  readonly lower: number
  readonly upper: number
  readonly least: number
  readonly greatest: number
}

/** @param fraction 0 is the least value, 1 the greatest, 0.99 the 99th percentile; between two values in proportion. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * fraction
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  if (below === undefined || above === undefined) throw new Error('Cannot say anything about no values')
  return below + (above - below) * (place - Math.floor(place))
}

/** @throws Error without values */
export function spreadOf(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
    least: quantile(values, 0),
    greatest: quantile(values, 1),
  }
}

/** A copy in random order. @param random from 0 to below 1 */
export function shuffled<T>(items: readonly T[], random: () => number = Math.random): readonly T[] {
  const keyed = items.map((item) => ({ item, key: random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item)
}
