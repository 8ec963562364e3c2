/** Reading what a plugin has answered, of which nothing is known. */

/** A field of an answer's body, or undefined. */
export function fieldOf(answer: unknown, name: string): unknown {
  if (typeof answer !== 'object' || answer === null) return undefined
  return Object.entries(answer).find(([key]) => key === name)?.[1]
}

/** @throws Error when the answer has no such text. */
export function textOf(answer: unknown, name: string): string {
  const value = fieldOf(answer, name)
  if (typeof value !== 'string') throw new Error(`The answer ${JSON.stringify(answer)} has no ${name}`)
  return value
}
