import { expect, test } from 'vitest'
import { formatJson, formatTable } from '../../cli/output.ts'

test('formatTable() puts the values below each other', () => {
  const table = formatTable([
    ['a', 'one'],
    ['label', 2n],
  ])
  expect(table).toBe('a      one\nlabel  2\n')
})

test('formatJson() prints a bigint as a number as long as it is exact, then as a string', () => {
  const edge = 2n ** 53n
  expect(formatJson({ safe: edge - 1n, unsafe: edge })).toBe(
    '{\n  "safe": 9007199254740991,\n  "unsafe": "9007199254740992"\n}\n',
  )
})
