import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ERRORS, RomanaError, reasonOf } from '../errors.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PRODUCT = '{address,store,host,cluster,ipam-driver,network-driver,plugin,cli}/**/*.ts'

/** The sections of docs/errors.md: heading and text on one line. */
function readSections(): { code: string; text: string }[] {
  const [, ...sections] = readFileSync(`${ROOT}/docs/errors.md`, 'utf8').split(/^## /m)
  return sections.map((section) => {
    const [code = '', ...lines] = section.split('\n')
    return { code, text: lines.join(' ').trim() }
  })
}

function readProduct(): string {
  return globSync(PRODUCT, { cwd: ROOT })
    .map((path) => readFileSync(`${ROOT}/${path}`, 'utf8'))
    .join('\n')
}

describe('docs/errors.md', () => {
  test('has the codes of the table in its order', () => {
    expect(readSections().map(({ code }) => code)).toEqual(Object.keys(ERRORS))
  })

  test.each(Object.entries(ERRORS))(
    '%s begins with its meaning and then says what to do',
    (code, { meaning }) => {
      const text = readSections().find((section) => section.code === code)?.text ?? ''
      expect(text.slice(0, meaning.length + 2)).toBe(`${meaning}. `)
      expect(text.length).toBeGreaterThan(meaning.length + 100)
    },
  )
})

describe('the message of a RomanaError', () => {
  test('says action, object, reason, remedy and code', () => {
    const error = new RomanaError('E_POOL_FULL', {
      cannot: 'give out an address in "10.1.17.0/24"',
      because: 'all 253 are taken',
      remedy: 'Remove containers',
    })
    expect(error.message).toBe(
      'Cannot give out an address in "10.1.17.0/24": all 253 are taken. Remove containers (E_POOL_FULL)',
    )
  })

  test('leaves out a remedy that there is not', () => {
    const error = new RomanaError('E_NUMBER', { cannot: 'use host number 256', because: 'it has 9 bits' })
    expect(error.message).toBe('Cannot use host number 256: it has 9 bits (E_NUMBER)')
  })

  test('is written nowhere in the product with a full stop of its own or a "Cannot" twice', () => {
    const parts = readProduct().match(/\b(cannot|because|remedy):\s*(['"`]).*?\2/g) ?? []
    expect(parts.length).toBeGreaterThan(20)
    expect(parts.filter((part) => /\.['"`]$|: .Cannot /.test(part))).toEqual([])
  })
})

test('a RomanaError carries its code, status and cause', () => {
  const cause = new Error('disk full')
  const error = new RomanaError('E_STORE', { cannot: 'write', because: 'no space', cause })
  expect(error).toMatchObject({ name: 'RomanaError', code: 'E_STORE', status: 500, cause })
})

test('a RomanaError without a cause has none', () => {
  expect(new RomanaError('E_STORE', { cannot: 'write', because: 'no space' })).not.toHaveProperty('cause')
})

test('only a method that does not exist is answered with 404, which libnetwork reads as just that', () => {
  const codes = Object.entries(ERRORS).filter(([, { status }]) => status === 404)
  expect(codes.map(([code]) => code)).toEqual(['E_METHOD'])
})

test('reasonOf() is the message of an error and the text of anything else', () => {
  expect([new Error('gone'), 'gone', 5, undefined].map(reasonOf)).toEqual(['gone', 'gone', '5', 'undefined'])
})

test('every code is used in the product', () => {
  const product = readProduct()
  expect(Object.keys(ERRORS).filter((code) => !product.includes(`'${code}'`))).toEqual([])
})
