/** docs/differences.md has each difference that the cases show, and no other. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { differenceOf } from './network-case.ts'
import { OPTION_CASES, VERB_CASES } from './network-cases/tables.ts'

const CASES = [...OPTION_CASES, ...VERB_CASES]

it('each difference that a case shows is a heading of docs/differences.md, and each heading such a difference', () => {
  const headings = [...readFileSync('docs/differences.md', 'utf8').matchAll(/^## (.+)$/gm)]
  const documented = headings.map(([, heading = '']) => heading).toSorted()
  const shown = new Set(CASES.flatMap((networkCase) => differenceOf(networkCase) ?? []))
  expect(documented).toEqual([...shown].toSorted())
})

it('docs/differences.md says how many cases there are', () => {
  const [, number] = /(\d+) cases/.exec(readFileSync('docs/differences.md', 'utf8')) ?? []
  expect(number).toBe(String(CASES.length))
})

it('no two cases have the same title', () => {
  const titles = CASES.map(({ title }) => title)
  expect(new Set(titles).size).toBe(titles.length)
})
