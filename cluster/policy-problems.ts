/** Where in a document something is wrong. Pure. */
import type * as v from 'valibot'

/** "PATH: what is wrong", in the order of the document. */
export type Problems = string[]

/** "policies[2].rules[0].ports[1]", or "the document". */
export function pathOf({ path }: Pick<v.BaseIssue<unknown>, 'path'>): string {
  const text = (path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')
  return text === '' ? 'the document' : text.slice(1)
}
